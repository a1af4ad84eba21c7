"""What is suspect is held back, not thrown away: groups of reports that feed no detection until a person lets them.

Written by the clustering stage with the placements it concerns (`clustering.quarantine`). What a person says of a group
is a `Correction`, which the same stage carries out.
"""

from __future__ import annotations

from django.db import models

from reports.enums import Suspicion, Verdict


class Quarantine(models.Model):
    """The reports of a service that one day gave one reason to suspect.

    `mark` is what they share: their network's fingerprint, that of their wording, or nothing where each was suspect by
    itself. `evidence` is what was seen when the group was made, in numbers; `first_at` and `last_at` are of its
    reports.
    """

    service = models.ForeignKey("reports.Service", on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    reason = models.CharField(max_length=20, choices=Suspicion)
    mark = models.BinaryField(max_length=16)
    verdict = models.CharField(max_length=8, choices=Verdict, default=Verdict.OPEN)
    judged_at = models.DateTimeField(null=True)
    n_reports = models.PositiveIntegerField(default=0)
    evidence = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "day", "reason", "mark"], name="one_quarantine_per_day_reason_and_mark"
            ),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.OPEN) ^ models.Q(judged_at__isnull=False),
                name="a_quarantine_is_judged_at_a_moment",
            ),
        ]
        indexes = [
            # triage.quarantine: what was held back of late
            models.Index(fields=["-last_at"], name="quarantine_by_last_report"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} of service {self.service_id} on {self.day}"
