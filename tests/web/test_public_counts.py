"""Whatever page anybody may see: no number and no place of fewer reporters than PUBLIC_MIN_REPORTERS is on it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import OutageState, Symptom
from reports.intake.receipts import receipt_token
from reports.models import Report
from reports.web.urls_public import urlpatterns
from tests.factories import make_cluster, make_outage, make_report, make_service

pytestmark = pytest.mark.django_db

FEW = 23  # as many report each symptom, the same as one reporter, an outage that goes on, and one that is over
# Each public address, and how it is asked for; of another than these it has to be said what it shows.
ADDRESSES = {
    "status": ["/"],
    "report": ["/report", "/report/mail", "/report?service=mail"],
    "challenge": ["/challenge?service=mail"],
    "receipt": ["/receipt/{token}"],
    "receipt-data": ["/receipt/{token}/data"],
    "widget-report": ["/widget/mail"],
    "widget-challenge": ["/widget/mail/challenge"],
}
ONLY_POSTED = {"receipt-erase"}
ALWAYS_THE_SAME = {"widget"}  # a script that holds nothing of any report


@pytest.fixture
def mine() -> Report:
    """My own report among others that say the same, in an outage of Bavaria that few report, and after another one."""
    now = timezone.now()
    service, at = make_service("mail", name="Mail"), now - timedelta(minutes=5)
    cluster = make_cluster(service)
    for number in range(FEW):
        make_report(
            service, cluster=cluster, region="DE-BY", reporter=f"other {number:10}".encode(), symptom=Symptom.LOGIN,
            at=at,
        )  # fmt: skip
    fields: dict[str, Any] = {
        "is_confirmed_by_person": True, "scope_region": "DE-BY", "regions": ["DE-BY"], "n_reporters": FEW,
        "n_reports": FEW, "started_at": at - timedelta(minutes=5), "now": now,
    }  # fmt: skip
    make_outage(service, state=OutageState.CONFIRMED, cluster=cluster, **fields)
    make_outage(service, state=OutageState.RESOLVED, **fields)
    return make_report(service, cluster=cluster, at=at, region="DE-BY", reporter=b"myself".ljust(16))


def pages(mine: Report) -> dict[str, str]:
    token = receipt_token(mine.id)
    addresses = [address.format(token=token) for some in ADDRESSES.values() for address in some]
    return {address: Client().get(address).text for address in addresses}


def names_the_number(page: str) -> bool:
    """Tell whether the number stands there by itself, in no time, date, id or token."""
    return (
        re.search(rf"(?<![\w:.-]){FEW}(?![\w:.-])", re.sub(r"<time.*?</time>|<option.*?</option>", "", page))
        is not None
    )


def test_every_public_address_is_looked_at() -> None:
    assert {str(pattern.name) for pattern in urlpatterns} == ADDRESSES.keys() | ONLY_POSTED | ALWAYS_THE_SAME


def test_below_the_least_no_number_and_no_place_is_told(mine: Report, settings: Any) -> None:
    settings.PUBLIC_MIN_REPORTERS = FEW + 2

    found = pages(mine)

    assert [address for address, page in found.items() if names_the_number(page)] == []
    assert "Bayern" not in found["/"]
    assert found["/"].count(f"Fewer than {FEW + 2} people") == 2


def test_from_the_least_on_they_are_told(mine: Report, settings: Any) -> None:
    settings.PUBLIC_MIN_REPORTERS = FEW

    found = pages(mine)

    receipt = f"/receipt/{receipt_token(mine.id)}"
    assert {address for address, page in found.items() if names_the_number(page)} >= {"/", "/report/mail", receipt}
    assert "Bayern, Germany" in found["/"]
