"""The project: wiring only. Settings, addresses, schedule, and the services `make run` starts. Nobody imports it."""
