"""What is usual: the hour-of-week profile of a service and the level of each of its streams.

Learnt by `detection.services` from closed hours only; derived from MinuteCount rows and therefore the one thing here
that may be rebuilt. Plain numbers in plain arrays, so that a page can draw them without numpy.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ServiceProfile(models.Model):
    """Reports per hour of the week (168 slots, Monday 00:00 first), with the exposure they were learnt from.

    The slots are the hours of `time_zone`, a holiday's those of a Sunday. `rates_per_hour` are what follows from them
    for the hours of the week in UTC, as of the last hour that was learnt: whoever shows them needs no clock.
    The scatter's sums are those of `ml.scatter`; null until a quiet hour has taught them.
    Of `mix_all` learnt reports `mix_failing` told that something fails now.
    """

    service = models.OneToOneField("reports.Service", on_delete=models.CASCADE, primary_key=True, related_name="+")
    slot_counts = ArrayField(models.FloatField(), size=168)
    slot_hours = ArrayField(models.FloatField(), size=168)
    rates_per_hour = ArrayField(models.FloatField(), size=168)
    dispersion = models.FloatField()
    scatter_squares = ArrayField(models.FloatField(), size=3, null=True)
    scatter_expected = ArrayField(models.FloatField(), size=3, null=True)
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    mix_failing = models.FloatField(default=0.0, db_default=0.0)
    mix_all = models.FloatField(default=0.0, db_default=0.0)
    learned_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"profile of service {self.service_id}"


class StreamLevel(models.Model):
    """What part of its service's profile a region usually carries: `n` learnt reports over the service's `e`.

    `day_n` and `day_e` are reports of the region and of its service by hour of the day, UTC, and `day_shares` the part
    that `ml.rhythm` concludes from them for each hour; null where that was not learnt yet. The scatter's sums are those
    of `ml.local_scatter`; null where no quiet hour has taught them, and for the service, whose are its profile's.

    Region "" is the service itself. Clusters have no row: they come and go; their past is counted when needed.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=6, blank=True)
    n = models.FloatField()
    e = models.FloatField()
    share = models.FloatField()  # of the service's rate, as `ml.baseline.shares` concludes from n and e
    day_n = ArrayField(models.FloatField(), null=True)
    day_e = ArrayField(models.FloatField(), null=True)
    day_shares = ArrayField(models.FloatField(), null=True)
    scatter_squares = ArrayField(models.FloatField(), size=3, null=True)
    scatter_expected = ArrayField(models.FloatField(), size=3, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "region"], name="one_level_per_stream")]

    def __str__(self) -> str:
        return f"level of {self.service_id}/{self.region}"


class QuietDay(models.Model):
    """How high the detector's statistic rose on one day without an outage, over services of one stratum of rates.

    `peaks` holds the highest, `minutes` how long was watched. Strata are those of `ml.budget`.
    """

    day = models.DateField()
    stratum = models.PositiveSmallIntegerField()
    minutes = models.FloatField()
    peaks = ArrayField(models.FloatField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "stratum"], name="a_quiet_day_is_judged_once")]

    def __str__(self) -> str:
        return f"quiet day {self.day}, stratum {self.stratum}"


class FleetTable(models.Model):
    """What all services of this installation teach each of them, by stratum of rates; the latest day's is in use.

    `offsets` corrects return periods (`ml.budget`); the scatter's sums are those of `ml.scatter`, three a stratum.
    """

    day = models.DateField(primary_key=True)
    offsets = ArrayField(models.FloatField(), size=6)
    scatter_squares = ArrayField(models.FloatField(), size=18)
    scatter_expected = ArrayField(models.FloatField(), size=18)

    def __str__(self) -> str:
        return f"fleet table of {self.day}"
