"""What is kept of reporters: a fingerprint that tells them apart for a day, and a contact that stands by itself."""

from __future__ import annotations

from typing import Any

import pytest

from reports.clustering.services import cluster_pending
from reports.enums import Channel
from reports.intake import services
from reports.intake.contract import ReportIn
from reports.intake.fingerprints import ANONYMOUS, network_of
from reports.intake.services import Origin, Receipt, accept_report, make_row
from reports.models import Placement, Report
from tests.factories import NOW, make_service
from tests.intake.submissions import WritesAtOnce
from tests.privacy.looking import tables_that_hold

pytestmark = pytest.mark.django_db

API = Origin(Channel.REST, client="key:1")
COPIED = "Nothing works at all since nine, please share this with everybody you know"


@pytest.fixture(autouse=True)
def _mail_takes_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    make_service("mail")
    monkeypatch.setattr(services, "the_writer", lambda **_: WritesAtOnce())


def reporter_of(*, origin: Origin = API, text: str = "no mail", **fields: Any) -> bytes:
    return make_row(report=ReportIn(service="mail", text=text, **fields), origin=origin, now=NOW).reporter


def accepted(*, text: str, origin: Origin = API, **fields: Any) -> Receipt:
    report = ReportIn(service="mail", text=text, **fields)
    return accept_report(report=report, origin=origin, idempotency_key="k", body=b"body", now=NOW)


# -- Who reports ------------------------------------------------------------------------------------------------------


def test_a_reporter_is_told_apart_by_the_name_the_client_gives() -> None:
    ada, ada_again, grace = (reporter_of(reporter=name) for name in ["ada", "ada", "grace"])

    assert ada == ada_again != grace
    assert len(ada) == 16


def test_another_clients_name_is_another_reporter() -> None:
    other = Origin(Channel.REST, client="key:2")

    assert reporter_of(reporter="ada") != reporter_of(reporter="ada", origin=other)


def test_without_a_name_network_and_browser_tell_reporters_apart() -> None:
    home, home_again, phone, elsewhere = (
        reporter_of(origin=Origin(Channel.FORM, address=address, agent=agent))
        for address, agent in [("192.0.2.7", "a"), ("192.0.2.7", "a"), ("192.0.2.7", "b"), ("192.0.2.8", "a")]
    )

    assert home == home_again
    assert len({home, phone, elsewhere}) == 3


def test_a_network_is_told_apart_and_not_kept() -> None:
    here, next_door, elsewhere, by_api = (
        make_row(report=ReportIn(service="mail", text="no mail", reporter=name), origin=origin, now=NOW).network
        for origin, name in [
            (Origin(Channel.FORM, address="192.0.2.7", agent="a"), ""),
            (Origin(Channel.FORM, address="192.0.2.250", agent="b"), ""),
            (Origin(Channel.FORM, address="198.51.100.7", agent="a"), ""),
            (Origin(Channel.REST, "key:1", address="192.0.2.7"), "ada"),
        ]
    )

    assert here == next_door != elsewhere
    assert (len(here), by_api) == (16, b"")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_a_network_is_what_a_street_shares(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_name_goes_before_the_network() -> None:
    at_home, at_work = (
        reporter_of(reporter="ada", origin=Origin(Channel.REST, "key:1", address=address))
        for address in ["192.0.2.7", "192.0.2.8"]
    )

    assert at_home == at_work


def test_where_nothing_else_tells_copies_have_one_reporter() -> None:
    assert reporter_of(text=COPIED) == reporter_of(text=COPIED.upper()) != ANONYMOUS


def test_short_words_tell_nobody_apart() -> None:
    assert reporter_of(text="can't log in") == ANONYMOUS


# -- Privacy ----------------------------------------------------------------------------------------------------------

ADDRESS, AGENT, NAME, CONTACT = "203.0.113.77", "Firefox-of-Ada", "ada.lovelace", "ada@example.org"


@pytest.mark.parametrize(
    ("origin", "fields"),
    [
        (Origin(Channel.FORM, "form", ADDRESS, AGENT), {}),
        (Origin(Channel.REST, "key:1"), {"reporter": NAME}),
        (Origin(Channel.REST, "key:1", ADDRESS, AGENT), {"reporter": NAME}),
    ],
    ids=["by network", "by name", "by both"],
)
def test_neither_network_nor_name_nor_contact_stays_beside_a_report(origin: Origin, fields: dict[str, str]) -> None:
    accepted(text=f"no mail, write to {CONTACT}", contact=CONTACT, origin=origin, **fields)
    cluster_pending(now=NOW)

    assert Placement.objects.count() == 1
    assert [tables_that_hold(needle) for needle in (ADDRESS, AGENT, NAME)] == [set()] * 3
    assert tables_that_hold(CONTACT) == {"reports_reportcontact"}


def test_the_scan_for_private_things_sees_what_is_there() -> None:
    Report.objects.filter(id=accepted(text="plain words").id).update(reporter=b"ada.lovelace")

    assert {table for table in tables_that_hold("plain words") if "default" not in table} == {"reports_report"}
    assert "reports_report" in tables_that_hold(NAME)
