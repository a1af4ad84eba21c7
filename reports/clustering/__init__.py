"""Clustering: which reports say the same thing.

`services` claims batches and writes placements, `refinement` merges and labels, `arrays` speaks to `ml`, `turns` goes
from service to service.
"""
