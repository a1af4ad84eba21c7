"""What people told us: reports, the batches they were committed in, and what makes a second delivery harmless.

`Report` is append-only and range-partitioned by day on its UUIDv7 id (the partitions: `intake/partitions.py`).
Only `intake.writer` writes here; `privacy.erasing` empties a row, `privacy.retention` drops it with its day. A contact
stands apart from the report, so that it can be erased alone.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from reports.enums import Channel, Suspicion, Symptom


class Report(models.Model):
    """One problem told by one reporter.

    `received_at` is when we took it, `occurred_at` when the reporter says it happened, `counted_at` when it counts for
    detection. `reporter` is a fingerprint under the day's salt; empty where nothing tells reporters apart. `network` is
    one of the network they report from, empty where that is not known. `key` is the one it came with, `source`
    the client's own word for where it has it from. `suspicion` is what it gave away by itself ("": nothing).
    `erased_at` is when what its reporter told was erased; the row stays, so that counts and ids hold.
    """

    id = models.UUIDField(primary_key=True)
    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, db_index=False, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel)
    key = models.ForeignKey("reports.ApiKey", null=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    region = models.CharField(max_length=6, blank=True)
    text = models.TextField(blank=True)
    symptom = models.CharField(max_length=12, blank=True, choices=Symptom)
    lang = models.CharField(max_length=35, blank=True)
    reporter = models.BinaryField(max_length=16)
    network = models.BinaryField(max_length=16, default=b"", db_default=b"")
    source = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    release = models.CharField(max_length=100, blank=True)
    trace = models.CharField(max_length=64, blank=True)
    suspicion = models.CharField(max_length=20, blank=True, default="", db_default="", choices=Suspicion)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    counted_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        managed = True

    def __str__(self) -> str:
        return str(self.id)


class IntakeBatch(models.Model):
    """The reports of one service that one transaction wrote: the unit that clustering claims.

    Report ids commit out of order, so a mark "up to this id" would lose some; this row commits with its reports.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, db_index=False, related_name="+")
    report_ids = ArrayField(models.UUIDField())
    written_at = models.DateTimeField()
    clustered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # clustering.services: which services have batches to place, oldest first
            models.Index(
                fields=["service", "id"], condition=models.Q(clustered_at__isnull=True), name="batch_not_yet_clustered"
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class IdempotencyKey(models.Model):
    """The answer a client's key was given, so that a retry gets the same one."""

    client = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    body_digest = models.BinaryField(max_length=32)
    report_ids = ArrayField(models.UUIDField())
    errors = models.JSONField(default=list)
    created_at = models.DateTimeField(db_index=True)  # forget_expired: those that are older than a day

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="one_answer_per_client_and_key")]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"


class ReportContact(models.Model):
    """Where a reporter wants to hear how it went on. Kept only for that."""

    report_id = models.UUIDField(primary_key=True)
    address = models.EmailField(max_length=254)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.report_id)


class FingerprintSalt(models.Model):
    """A day's salt. Once it is deleted nobody, we included, can tell whose fingerprint was whose."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.day)
