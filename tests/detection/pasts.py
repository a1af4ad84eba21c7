"""Services with a history of counts that a reader can check, and questions about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from reports.detection.what_if_answer import Answer, from_plain
from reports.enums import WhatIfState
from reports.models import MinuteCount, Service, WhatIf
from tests.factories import NOW, count_reports, first_micro_cluster, make_cluster, make_service

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def a_service_with_a_past(*, region: str = "") -> Service:
    """Make a service that got one report every hour, at half past, for two weeks up to now."""
    service = make_service()
    Service.objects.filter(pk=service.pk).update(created_at=NOW - 14 * DAY)
    micro_cluster = first_micro_cluster(make_cluster(service))
    MinuteCount.objects.bulk_create(
        MinuteCount(
            service=service, minute=NOW - hour * HOUR + 30 * MINUTE, micro_cluster=micro_cluster, region=region,
            n_reports=1, n_counted=1,
        )
        for hour in range(1, 14 * 24 + 1)
    )  # fmt: skip
    return service


def a_burst(service: Service, n_minutes: int, *, n: int = 1, at: datetime, region: str = "") -> None:
    """Let `n` people report in each of so many minutes from a moment on."""
    last = at + (n_minutes - 1) * MINUTE
    count_reports(make_cluster(service), n, at=last, minutes=n_minutes, region=region)


def ask(service: Service | None = None, *, budget: float = 4.0, days: int = 2, **fields: object) -> WhatIf:
    return WhatIf.objects.create(
        service=service,
        days=days,
        budget_per_month=budget,
        **{"created_at": NOW} | fields,  # type: ignore[arg-type]
    )


def answer_of(question: WhatIf) -> Answer:
    question.refresh_from_db()
    assert question.state == WhatIfState.DONE, question.failure
    return from_plain(question.answer)
