"""That reports were erased: when, by whose wish, how many. What they said is gone, and nothing here tells it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reports.enums import ErasureWay


class Erasure(models.Model):
    """One act of erasing. `actor` is the member of staff, `key` the program that asked.

    `fingerprints_of` are the reports whose fingerprints have to go once they serve no count any more
    (`privacy.erasing`); then it is empty.
    """

    at = models.DateTimeField()
    way = models.CharField(max_length=8, choices=ErasureWay)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    key = models.ForeignKey("reports.ApiKey", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    n_reports = models.PositiveIntegerField()
    fingerprints_of = ArrayField(models.UUIDField(), default=list, db_default=[])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(way=ErasureWay.STAFF, actor__isnull=False) | (~Q(way=ErasureWay.STAFF) & Q(actor=None)),
                name="an_erasure_by_staff_and_only_it_has_an_actor",
            ),
        ]
        indexes = [
            # privacy.search: the latest ones
            models.Index(fields=["-at"], name="erasure_by_time"),
            # privacy.erasing: whose fingerprints are still to go
            models.Index(fields=["at"], condition=~Q(fingerprints_of=[]), name="erasure_unfinished"),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"
