"""What others speak, read into reports: a module a format. Pure: no request, no database, no clock of its own.

Invariant: what a report must be is the contract's affair (`reports.intake.contract`); here only its fields are found.
"""
