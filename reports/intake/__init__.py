"""Intake: from whatever a face was handed to a durable row. `contract` → `screening` → `writer`; `services` is the door."""
