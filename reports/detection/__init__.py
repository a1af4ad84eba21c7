"""Detection: what is reported against what is usual. `learning` keeps the usual, `services` decides, `arrays` speaks to `ml`."""
