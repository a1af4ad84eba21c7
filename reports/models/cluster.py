"""Which reports say the same thing: placements, micro-clusters, clusters, and their counts by region and minute.

Two levels: a report is placed once, for good, in a *micro-cluster* (tight wording); refinement gathers micro-clusters
in
*clusters* (one problem). A merge therefore moves one foreign key and no count. A cluster that was merged away keeps its
row and says into which one.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Cluster(models.Model):
    """A group of reports of one service that tell the same problem."""

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    label = models.CharField(max_length=200, blank=True)
    terms = ArrayField(models.CharField(max_length=60), default=list)
    typical_report_id = models.UUIDField(null=True)
    n_reports = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="absorbed")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="no_cluster_is_merged_into_itself"),
        ]
        indexes = [
            # triage.selectors, clustering: a service's live clusters, latest first
            models.Index(fields=["service", "-last_seen_at"], name="cluster_by_last_seen"),
        ]

    def __str__(self) -> str:
        return self.label or f"cluster {self.pk}"


class MicroCluster(models.Model):
    """Reports of nearly the same wording, as the sum of their vectors (float32, little-endian)."""

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="micro_clusters")
    encoder = models.CharField(max_length=80)  # sums of different encoders can't be compared
    vector_sum = models.BinaryField()
    n_reports = models.PositiveIntegerField()
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [
            # clustering.arrays: the micro-clusters that still take reports
            models.Index(fields=["service", "last_seen_at"], name="micro_cluster_by_last_seen"),
        ]

    def __str__(self) -> str:
        return f"micro-cluster {self.pk}"


class ClusteringState(models.Model):
    """What the clustering of one service carries from batch to batch besides its micro-clusters.

    `generation` moves with every write, so that a worker knows whether what it remembers is still true.
    """

    service = models.OneToOneField("reports.Service", on_delete=models.CASCADE, primary_key=True, related_name="+")
    encoder = models.CharField(max_length=80)
    generation = models.BigIntegerField(default=0)
    mean_sum = models.BinaryField()
    mean_n = models.BigIntegerField(default=0)
    sample = models.BinaryField()
    n_unrefined = models.PositiveIntegerField(default=0)
    refined_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"clustering of service {self.service_id}"


class Placement(models.Model):
    """A report's place, decided once. `is_counted` is false where the same reporter already counts in the window."""

    report_id = models.UUIDField(primary_key=True)
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    micro_cluster = models.ForeignKey(MicroCluster, on_delete=models.PROTECT, related_name="+", db_index=False)
    similarity = models.FloatField()
    region = models.CharField(max_length=6, blank=True)
    reporter = models.BinaryField(max_length=16)
    is_counted = models.BooleanField()
    counted_at = models.DateTimeField()
    placed_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the newest reports of a micro-cluster (ids are in time order)
            models.Index(fields=["micro_cluster", "-report_id"], name="placement_newest_of_micro"),
            # clustering.services: has this reporter been counted within the window?
            models.Index(
                fields=["service", "reporter", "counted_at"],
                condition=Q(is_counted=True),
                name="placement_counted_reporter",
            ),
            # triage.selectors, drill: a service's latest placements
            models.Index(fields=["service", "-counted_at"], name="placement_by_counted_at"),
        ]

    def __str__(self) -> str:
        return f"placement of {self.report_id}"


class MinuteCount(models.Model):
    """How many reports a micro-cluster got from a region in a minute; upserted with the placements it counts."""

    pk = models.CompositePrimaryKey("service_id", "minute", "micro_cluster_id", "region")
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    minute = models.DateTimeField()
    micro_cluster = models.ForeignKey(MicroCluster, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=6, blank=True)
    n_reports = models.PositiveIntegerField()
    n_counted = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(n_counted__lte=F("n_reports")), name="no_more_counted_than_reported"),
        ]
        indexes = [
            # detection.services: which services had reports within the hour
            models.Index(fields=["minute"], name="minute_count_by_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.n_reports} at {self.minute}"
