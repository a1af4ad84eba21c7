"""The house's own settings, with the addresses of the rivals."""

from feedback.settings import *  # noqa: F403  all of them, on purpose

ROOT_URLCONF = "benchmarks.intake_rivals"
