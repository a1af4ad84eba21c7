"""Which reports say the same thing: placements, micro-clusters, clusters, and their counts by region and minute.

Two levels: a report is placed once, for good, in a *micro-cluster* (tight wording); refinement gathers micro-clusters
in *clusters* (one problem). A merge therefore moves one foreign key and no count. A cluster that was merged away keeps
its row and says into which one.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Cluster(models.Model):
    """A group of reports of one service that tell the same problem.

    `label` is what the machine calls it, `given_name` what a person does. `term_shares` says for each of `terms` in
    which share of its reports it occurs, `cohesion` how alike two of its reports are on average (cosine; null while it
    holds no two texts). `resembles` is a cluster that says the same of another place or an earlier time.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    label = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    terms = ArrayField(models.CharField(max_length=60), default=list)
    term_shares = ArrayField(models.FloatField(), default=list)
    languages = ArrayField(models.CharField(max_length=8), default=list)
    regions = ArrayField(models.CharField(max_length=6), default=list)
    cohesion = models.FloatField(null=True)
    typical_report_id = models.UUIDField(null=True)
    n_reports = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="absorbed")
    resembles = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="no_cluster_is_merged_into_itself"),
        ]
        indexes = [
            # triage.selectors, clustering: a service's live clusters, latest first
            models.Index(fields=["service", "-last_seen_at"], name="cluster_by_last_seen"),
        ]

    def __str__(self) -> str:
        return self.name or f"cluster {self.pk}"

    @property
    def name(self) -> str:
        """What people read: the name a person gave it, otherwise the machine's label."""
        return self.given_name or self.label


class MicroCluster(models.Model):
    """Reports of nearly the same wording, as the sum of their vectors (float32, little-endian).

    `country` is where its reports come from ("" = of no region), `guard` the code, version or product they name: texts
    that only look alike stay apart by them. `pinned_to` is the cluster that a person says it belongs to.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="micro_clusters")
    encoder = models.CharField(max_length=80)  # sums of different encoders can't be compared
    vector_sum = models.BinaryField()
    n_reports = models.PositiveIntegerField()
    n_refined = models.PositiveIntegerField(default=0, db_default=0)  # as of the last refinement: more have come since?
    country = models.CharField(max_length=2, blank=True)
    guard = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField()
    pinned_to = models.ForeignKey(Cluster, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [
            # clustering.arrays: the micro-clusters that still take reports
            models.Index(fields=["service", "last_seen_at"], name="micro_cluster_by_last_seen"),
        ]

    def __str__(self) -> str:
        return f"micro-cluster {self.pk}"


class ClusteringState(models.Model):
    """What the clustering of one service carries from batch to batch besides its micro-clusters and its sample.

    `generation` moves with every write, so that a worker knows whether what it remembers is still true. `mean_sum` is a
    row of float64 for each of `mean_languages` (one row where none are told apart), over `mean_counts` texts each;
    `calibration` is how texts are compared (`clustering.arrays`), null before the first. `usual` is how alike the
    reports of one cluster are at least, for people to read; `group_factor` is what their corrections made of that.
    `names` are products and features that reports are told apart by, learnt when it had seen `names_learnt_at_n` texts.
    """

    service = models.OneToOneField("reports.Service", on_delete=models.CASCADE, primary_key=True, related_name="+")
    encoder = models.CharField(max_length=80)
    generation = models.BigIntegerField(default=0)
    mean_sum = models.BinaryField()
    mean_languages = ArrayField(models.CharField(max_length=8), default=list, db_default=[])
    mean_counts = ArrayField(models.FloatField(), default=list, db_default=[])
    n_seen = models.BigIntegerField(default=0, db_default=0)
    calibration = models.BinaryField(null=True)
    usual = models.FloatField(null=True)
    group_factor = models.FloatField(default=1.0, db_default=1.0)
    names = ArrayField(models.CharField(max_length=60), default=list, db_default=[])
    names_learnt_at_n = models.BigIntegerField(default=0, db_default=0)
    n_refinements = models.PositiveIntegerField(default=0, db_default=0)
    n_unrefined = models.PositiveIntegerField(default=0)
    refined_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"clustering of service {self.service_id}"


class SampleVector(models.Model):
    """One of the texts from which is read how alike two reports of a service usually are (float32, little-endian).

    A row each, because a batch changes few of them; written with every batch, so that a restart changes nothing.
    """

    pk = models.CompositePrimaryKey("service_id", "slot")
    service = models.ForeignKey("reports.Service", on_delete=models.CASCADE, related_name="+", db_index=False)
    slot = models.PositiveSmallIntegerField()
    language_row = models.PositiveSmallIntegerField(default=0)
    heard_at = models.DateTimeField()
    vector = models.BinaryField()

    def __str__(self) -> str:
        return f"sample {self.slot} of service {self.service_id}"


class Placement(models.Model):
    """A report's place, decided once.

    `is_counted` is false where the same reporter, or enough of the same network, already count in the window, and where
    the text reads as no problem report: `p_problem` says how likely it is one (null: not asked), `is_set_aside` what
    became of that, `set_aside_for` which of its words spoke against it. `p_failing` says how likely it tells that
    something fails now (null: not asked), `tells_failure` what became of that: where nobody can say, it does.
    `is_quarantined` is true while it is held back with its group in `quarantine`; a report that was released keeps the
    group.
    """

    report_id = models.UUIDField(primary_key=True)
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    micro_cluster = models.ForeignKey(MicroCluster, on_delete=models.PROTECT, related_name="+", db_index=False)
    similarity = models.FloatField()
    region = models.CharField(max_length=6, blank=True)
    reporter = models.BinaryField(max_length=16)
    network = models.BinaryField(max_length=16, default=b"", db_default=b"")
    is_counted = models.BooleanField()
    p_problem = models.FloatField(null=True)
    is_set_aside = models.BooleanField(default=False, db_default=False)
    set_aside_for = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    is_quarantined = models.BooleanField(default=False, db_default=False)
    quarantine = models.ForeignKey(
        "reports.Quarantine", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    p_failing = models.FloatField(null=True)
    tells_failure = models.BooleanField(default=True, db_default=True)
    counted_at = models.DateTimeField()
    placed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~(Q(is_quarantined=True) & (Q(is_counted=True) | Q(is_set_aside=True))),
                name="what_is_in_quarantine_is_neither_counted_nor_set_aside",
            ),
        ]
        indexes = [
            # the newest reports of a micro-cluster (ids are in time order)
            models.Index(fields=["micro_cluster", "-report_id"], name="placement_newest_of_micro"),
            # clustering.services: has this reporter been counted within the window?
            models.Index(
                fields=["service", "reporter", "counted_at"],
                condition=Q(is_counted=True),
                name="placement_counted_reporter",
            ),
            # clustering.services: how many of this network have been counted within the window?
            models.Index(
                fields=["service", "network", "counted_at"],
                condition=Q(is_counted=True) & ~Q(network=b""),
                name="placement_counted_network",
            ),
            # triage.clusters: what was set aside of late, for a person to look through
            models.Index(fields=["service", "-counted_at"], condition=Q(is_set_aside=True), name="placement_set_aside"),
            # clustering.quarantine, triage.quarantine: the reports of a group, the newest first
            models.Index(
                fields=["quarantine", "-counted_at"],
                condition=Q(quarantine__isnull=False),
                name="placement_of_quarantine",
            ),
            # triage.selectors, drill: a service's latest placements
            models.Index(fields=["service", "-counted_at"], name="placement_by_counted_at"),
        ]

    def __str__(self) -> str:
        return f"placement of {self.report_id}"


class MinuteCount(models.Model):
    """How many reports a micro-cluster got from a region in a minute; upserted with the placements it counts.

    `n_no_failure` of those that count tell of nothing that fails now.
    """

    pk = models.CompositePrimaryKey("service_id", "minute", "micro_cluster_id", "region")
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    minute = models.DateTimeField()
    micro_cluster = models.ForeignKey(MicroCluster, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=6, blank=True)
    n_reports = models.PositiveIntegerField()
    n_counted = models.PositiveIntegerField()
    n_set_aside = models.PositiveIntegerField(default=0, db_default=0)
    n_quarantined = models.PositiveIntegerField(default=0, db_default=0)
    n_no_failure = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(n_counted__lte=F("n_reports")), name="no_more_counted_than_reported"),
            models.CheckConstraint(
                condition=Q(n_reports__gte=F("n_counted") + F("n_set_aside") + F("n_quarantined")),
                name="what_is_held_back_does_not_count",
            ),
            models.CheckConstraint(
                condition=Q(n_no_failure__lte=F("n_counted")), name="no_more_without_failure_than_counted"
            ),
        ]
        indexes = [
            # detection.services: which services had reports within the hour
            models.Index(fields=["minute"], name="minute_count_by_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.n_reports} at {self.minute}"
