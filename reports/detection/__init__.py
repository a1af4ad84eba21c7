"""Detection: what is reported against what is usual.

`learning` keeps the usual, `evidence` tests, `services` decides and writes, `arrays` reads counts; `what_if` replays
past days with another budget.
"""
