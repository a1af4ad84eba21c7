"""What people say of clusters: corrections, and what lasts of them.

A correction is a fact, never changed but for what became of it. `clustering.corrections` carries it out under the
service's lock, as soon as the next batch; what refinement must respect from then on are pins (`MicroCluster.pinned_to`)
and barriers.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from reports.enums import CorrectionKind


class Correction(models.Model):
    """One thing a person said of clusters.

    By kind: *merge* `cluster` into `into`; *split* `micro_cluster_ids` off `cluster` (the new cluster becomes `into`);
    *rename* `cluster` to `text` ("" = the machine's label again); *move* `report_ids` to `into` (null = a cluster of
    their own, which becomes `into`); *screen* says with `is_problem` whether `report_ids` are problem reports; *judge*
    says of a `quarantine` whether it is an attack, or (`is_attack` false) to be released.
    `applied_at` is null while it waits; `refusal` says why it could not be carried out.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=CorrectionKind)
    cluster = models.ForeignKey("reports.Cluster", null=True, on_delete=models.PROTECT, related_name="corrections")
    into = models.ForeignKey("reports.Cluster", null=True, on_delete=models.PROTECT, related_name="+")
    micro_cluster_ids = ArrayField(models.BigIntegerField(), default=list)
    report_ids = ArrayField(models.UUIDField(), default=list)
    is_problem = models.BooleanField(null=True)
    quarantine = models.ForeignKey(
        "reports.Quarantine", null=True, on_delete=models.PROTECT, related_name="corrections"
    )
    is_attack = models.BooleanField(null=True)
    text = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=CorrectionKind.SCREEN) ^ Q(is_problem__isnull=True),
                name="only_screening_says_whether_it_is_a_problem",
            ),
            models.CheckConstraint(
                condition=Q(kind=CorrectionKind.JUDGE, quarantine__isnull=False, is_attack__isnull=False)
                | (~Q(kind=CorrectionKind.JUDGE) & Q(quarantine__isnull=True, is_attack__isnull=True)),
                name="only_a_judgement_says_what_a_quarantine_is",
            ),
        ]
        indexes = [
            # clustering.corrections: what waits, in the order it was said
            models.Index(fields=["service", "id"], condition=Q(applied_at__isnull=True), name="correction_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ClusterBarrier(models.Model):
    """Two clusters that a person took apart: refinement never merges them."""

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+")
    low = models.ForeignKey("reports.Cluster", on_delete=models.PROTECT, related_name="+")
    high = models.ForeignKey("reports.Cluster", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="one_barrier_between_two_clusters"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="a_barrier_is_written_lower_id_first"),
        ]

    def __str__(self) -> str:
        return f"barrier between {self.low_id} and {self.high_id}"


class ScreeningExample(models.Model):
    """A text of which a person said whether it is a problem report; goes with the report it was said of."""

    report_id = models.UUIDField(primary_key=True)
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    is_problem = models.BooleanField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.report_id)
