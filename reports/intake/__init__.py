"""Intake: from whatever a face was handed to a durable row.

`services` is the door; behind it `contract` → `screening` → `fingerprints` → `writer`.
"""
