"""What `make run` starts on a machine that has only Python: a real Postgres, a real Valkey, and our own programs.

Invariant: everything started from here lives and dies with one supervisor and one DATA_DIR; what a killed supervisor
left behind is found and ended before anything new starts. Nothing here knows reports, and nothing here is imported by
the house: only `manage.py up`, the settings (`paths`) and throw-away servers (`scratch`) come in.
"""
