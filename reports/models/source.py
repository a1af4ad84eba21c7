"""Sources: the channels through which reports come, each with the key it uses, and what each usually brings.

`SourceCount` is written by the clustering stage with the placements it counts; what is usual is derived from it by
`detection.sources` and may be rebuilt at any time; an alarm is a fact that gets an end.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from reports.enums import Channel, SourceAlarmKind


class Source(models.Model):
    """A channel, with the API key where there is one, and how it usually reports.

    What is usual is empty until a week is known: `rates_per_hour` by hour of the week (168, UTC), `dispersion` the
    scatter of an hour around it, `log10_rarest` how rare its own rarest quiet stretch was. `looked_at` and
    `watched_since` tell since when somebody listens: while no worker ran, nobody was silent. `unwatched` holds the
    beginning and end of each such time, one after the other.
    """

    channel = models.CharField(max_length=12, choices=Channel)
    key = models.ForeignKey("reports.ApiKey", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_heard_at = models.DateTimeField()
    rates_per_hour = ArrayField(models.FloatField(), default=list)
    dispersion = models.FloatField(default=1.0)
    log10_rarest = models.FloatField(default=0.0)
    learned_until = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    watched_since = models.DateTimeField(null=True)
    unwatched = ArrayField(models.DateTimeField(), default=list, db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "key"], nulls_distinct=False, name="one_source_per_channel_and_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} with key {self.key_id}" if self.key_id else self.channel


class SourceCount(models.Model):
    """How many reports a source brought of a service from a region in an hour, in twelve bins of five minutes.

    Every report that was received in time counts, also those of a reporter who counts already; history does not, for
    it tells nothing of whether a source is alive now.
    """

    pk = models.CompositePrimaryKey("service_id", "source_id", "region", "hour")
    service = models.ForeignKey("reports.Service", on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=6, blank=True)
    hour = models.DateTimeField()
    bins = ArrayField(models.PositiveIntegerField(), size=12)

    class Meta:
        indexes = [
            # detection.sources: the last hours and weeks of all sources; intake.services: what is to be forgotten
            models.Index(fields=["hour"], name="source_count_by_hour"),
        ]

    def __str__(self) -> str:
        return f"{sum(self.bins)} in the hour of {self.hour}"


class SourceProfile(models.Model):
    """What a source usually brings of a service: reports by hour of the week, and how they share out by region."""

    pk = models.CompositePrimaryKey("source_id", "service_id")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    service = models.ForeignKey("reports.Service", on_delete=models.CASCADE, related_name="+", db_index=False)
    rates_per_hour = ArrayField(models.FloatField(), size=168)
    regions = ArrayField(models.CharField(max_length=6, blank=True))
    shares = ArrayField(models.FloatField())

    def __str__(self) -> str:
        return f"service {self.service_id} by source {self.source_id}"


class SourceAlarm(models.Model):
    """Something is wrong with a source, not with a service. `since` is when it began, `found_at` when we knew."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="alarms", db_index=False)
    kind = models.CharField(max_length=20, choices=SourceAlarmKind)
    since = models.DateTimeField()
    found_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [
            # The guard of two workers that find the same: the loser reads the winner's row.
            models.UniqueConstraint(
                fields=["source", "kind"], condition=Q(until__isnull=True), name="one_open_alarm_per_source_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("found_at")), name="a_source_alarm_ends_after_it_began"
            ),
        ]
        indexes = [
            # detection.sources: the hours in which a source was silent, which teach nothing
            models.Index(fields=["source", "since"], name="source_alarm_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of source {self.source_id}"
