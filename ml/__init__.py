"""The mathematics of Outcry: arrays in, arrays out.

Pure: the same input gives the same output and is left untouched. Time enters as numbers, chance as
`numpy.random.Generator`. No Django, no Celery, no Redis, no clock.
"""
