"""Commands of the project itself; the house's own are in `reports/management`."""
