"""Questions of staff: what would the last days have been like with another budget of false alarms?

A row is the question, who works on it, how far that is, and the answer as plain values
(`detection.what_if_answer`). Derived from MinuteCount and Outage rows, which it never changes; pruned after a month.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from reports.enums import WhatIfState

LEAST_DAYS, MOST_DAYS = 1, 14
# Rarer than once in 20 months no fortnight can show; above 30 a month a suspicion would be no rarer than what an outage
# may end with (`ml.phases.Thresholds.p_over`, once a day).
LEAST_BUDGET, MOST_BUDGET = 0.05, 30.0


class WhatIf(models.Model):
    """One question; `service` null asks for all.

    `n_claims` numbers the workers that took it up: whoever writes names his number, so one that was given up for dead
    writes nothing any more. `heard_at` is when the latest wrote, `n_deaths` how many fell silent. `answer` grows by one
    service after the other, `progress` is in percent, `failure` says why there is no answer.
    """

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    service = models.ForeignKey("reports.Service", null=True, on_delete=models.CASCADE, related_name="+")
    days = models.PositiveSmallIntegerField()
    budget_per_month = models.FloatField()
    state = models.CharField(max_length=8, choices=WhatIfState, default=WhatIfState.WAITING)
    n_claims = models.PositiveIntegerField(default=0)
    n_deaths = models.PositiveSmallIntegerField(default=0)
    heard_at = models.DateTimeField(null=True)
    progress = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(null=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Of two worker processes one stays free for placing and detection.
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=WhatIfState.RUNNING), name="one_what_if_runs_at_a_time"
            ),
            # Asked twice before the answer it is one question: a double click, or two people in one meeting.
            models.UniqueConstraint(
                fields=["service", "days", "budget_per_month"],
                condition=Q(state__in=[WhatIfState.WAITING, WhatIfState.RUNNING]),
                nulls_distinct=False,
                name="one_unanswered_what_if_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(days__gte=LEAST_DAYS, days__lte=MOST_DAYS), name="a_what_if_asks_for_a_fortnight_at_most"
            ),
            models.CheckConstraint(
                condition=Q(budget_per_month__gte=LEAST_BUDGET, budget_per_month__lte=MOST_BUDGET),
                name="a_what_if_asks_for_a_budget_that_can_be_tested",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[WhatIfState.WAITING, WhatIfState.RUNNING]) ^ Q(finished_at__isnull=False),
                name="answered_or_failed_what_ifs_and_only_they_have_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state=WhatIfState.FAILED) ^ Q(failure=""), name="a_failed_what_if_says_why"
            ),
        ]
        indexes = [
            # triage.what_if: the latest questions; detection.what_if: the old ones
            models.Index(fields=["-created_at"], name="what_if_by_time"),
        ]

    def __str__(self) -> str:
        return f"what-if {self.pk}"
