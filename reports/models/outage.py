"""Outages and everything that happened to them.

The events are the facts; the Outage row is what they add up to now, kept for constraints and quick lists. An event is
written in the transaction that changes its outage.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reports.enums import OPEN_STATES, EventKind, HeldBack, OutageState, Severity


class OutageQuerySet(models.QuerySet["Outage"]):
    def open(self) -> OutageQuerySet:
        """Return the outages that still go on, as far as we know."""
        return self.filter(state__in=OPEN_STATES)


class Outage(models.Model):
    """A rise of reports that chance does not explain, or that a person says is one.

    `scope_region` is the place it is about ("" = the whole service), `regions` every region that stands out within;
    `n_networks` is null where most reports tell no network, `is_located` false while it is too early to say where (its
    scope is the whole service then).
    `n_failing` of its reporters tell that something fails now; `held_back_for` says why it is suspected and not
    confirmed although its reports rise clearly enough.
    `cluster` is set where one cluster explains it. Times: `started_at` is the onset estimated backwards, the others are
    when we knew. `observed`, `expected`, `window_minutes`, `peak_p_value`, `peak_n_regions` and `peak_at` are those of
    the surest look (the last two null where it was before they were kept), `p_value` and `evaluated_at` those of the
    latest. `counts_failing`: the surest look counted only reports that tell of a failure.
    `reporters_by_place` says of each of its places, and of their countries, how many people report from there at the
    least: what the public may be told depends on it.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="outages", db_index=False)
    cluster = models.ForeignKey("reports.Cluster", null=True, on_delete=models.PROTECT, related_name="+")
    scope_region = models.CharField(max_length=6, blank=True)
    regions = ArrayField(models.CharField(max_length=6), default=list)
    is_located = models.BooleanField(default=True, db_default=True)
    label = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=OutageState)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.MINOR, db_default=Severity.MINOR.value)
    is_confirmed_by_person = models.BooleanField(default=False)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    suspected_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    quiet_since = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    n_reports = models.PositiveIntegerField(default=0)
    n_reporters = models.PositiveIntegerField(default=0)
    reporters_by_place = models.JSONField(default=dict, db_default={})
    n_networks = models.PositiveIntegerField(null=True)
    n_failing = models.PositiveIntegerField(null=True)
    held_back_for = models.CharField(max_length=12, choices=HeldBack, blank=True, default="", db_default="")
    observed = models.PositiveIntegerField()
    expected = models.FloatField()
    counts_failing = models.BooleanField(default=False, db_default=False)
    window_minutes = models.PositiveSmallIntegerField()
    p_value = models.FloatField()
    peak_p_value = models.FloatField()
    peak_n_regions = models.PositiveSmallIntegerField(null=True)
    peak_at = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField()

    objects = OutageQuerySet.as_manager()

    class Meta:
        constraints = [
            # The guard of detection: whoever loses the race reads the winner's row.
            models.UniqueConstraint(
                fields=["service", "cluster", "scope_region"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                nulls_distinct=False,
                name="one_open_outage_per_service_cluster_and_place",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in OPEN_STATES]) ^ Q(resolved_at__isnull=False),
                name="closed_outages_and_only_they_have_an_end",
            ),
        ]
        indexes = [
            # triage.selectors, publishing.selectors: the latest outages, of one service or of all
            models.Index(fields=["service", "-suspected_at"], name="outage_of_service_by_time"),
            models.Index(fields=["-suspected_at"], name="outage_by_time"),
        ]

    def __str__(self) -> str:
        return f"outage {self.pk}"


class OutageEvent(models.Model):
    """One thing that happened to an outage, never changed afterwards. `actor` is null where the detector acted."""

    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    body = models.JSONField(default=dict)

    class Meta:
        indexes = [
            # triage.selectors: the timeline of an outage
            models.Index(fields=["outage", "at", "id"], name="outage_timeline"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of outage {self.outage_id}"
