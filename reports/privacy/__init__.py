"""Privacy: what is held of a reporter, given out and taken back; and how long anything is kept."""
