"""Clustering: which reports say the same thing. `services` claims batches and writes placements; `arrays` speaks to `ml`."""
