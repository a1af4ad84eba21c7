"""What staff can find reports by who asks them: a receipt link, an id, a mail address, a client's name for a reporter.

Who looks and erases is asked here again, whatever a page offered. Only ids, times and numbers of what was erased are
kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from reports.enums import ErasureWay, Role
from reports.errors import InvalidInput, NotAllowed, NotFound
from reports.intake import fingerprints
from reports.intake.availability import raise_if_away, store_needed
from reports.intake.ids import first_id
from reports.intake.receipts import report_of
from reports.models import ApiKey, Erasure, Report, ReportContact
from reports.privacy.erasing import Erased, erase_reports
from reports.privacy.holdings import Holding, holding_of, holdings_of
from reports.triage.accounts import account_role
from reports.triage.transitions import includes

MOST_FOUND: Final = 200
MOST_ASKED_CHARS: Final = 500
LATEST_ERASURES: Final = 20
_AFTER_TOKEN: Final = re.compile(r"[/?#\s]")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `by` says as what the words were taken; `is_cut`: there are more."""

    asked: str
    by: str
    held: tuple[Holding, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One act of erasing. `who` is a member of staff, a key's name, or "" for the reporter."""

    at: datetime
    way: ErasureWay
    who: str
    n_reports: int


def find_held(asked: str, *, actor_id: int, now: datetime) -> Found:
    """Return what is held of the reports that words mean: a receipt link, an id, an address, a reporter's name.

    Raises NotAllowed, InvalidInput for words that can't mean anything, NotFound, StoreUnavailable.
    """
    _check_role(actor_id)
    asked = asked.strip()
    if not asked or len(asked) > MOST_ASKED_CHARS or "\x00" in asked:  # a database takes no NUL
        raise InvalidInput("Paste a receipt link, the id of a report, a mail address or a reporter's name.")
    raise_if_away()
    if "/receipt/" in asked:
        token = _AFTER_TOKEN.split(asked.partition("/receipt/")[2])[0]  # what stands before may be no address at all
        return Found(asked, "receipt link", (holding_of(report_of(token)),))
    if (report_id := _uuid(asked)) is not None:
        return Found(asked, "report id", (holding_of(report_id),))
    with store_needed():
        if "@" in asked and (ids := _by_address(asked)):
            return _found(asked, "mail address", ids)
        if ids := _by_name(asked, now=now):
            return _found(asked, "name of a reporter", ids)
    raise NotFound(
        f"Nothing is held under {asked[:60]!r}. Reports are found by receipt link and by id for as long as they are "
        "kept, by mail address where one was left, and by a program's name for its reporter for two days."
    )


def erase_found(*, report_ids: Collection[UUID], actor_id: int, now: datetime) -> Erased:
    """Erase reports by hand of a responder. Raises NotAllowed, InvalidInput, TooMany, StoreUnavailable."""
    _check_role(actor_id)
    if not report_ids:
        raise InvalidInput("No report is chosen. Tick those that are to be erased.")
    return erase_reports(report_ids=report_ids, way=ErasureWay.STAFF, actor_id=actor_id, now=now)


def export_found(*, report_ids: Collection[UUID], actor_id: int) -> list[Holding]:
    """Return what is held of these reports. Raises NotAllowed, InvalidInput, StoreUnavailable."""
    _check_role(actor_id)
    if not 0 < len(report_ids) <= MOST_FOUND:
        raise InvalidInput(f"{len(report_ids)} reports are chosen. Tick 1 to {MOST_FOUND} that are to be exported.")
    with store_needed():
        return holdings_of(report_ids)


def latest_erasures() -> tuple[ErasureRow, ...]:
    """Return the latest acts of erasing, the newest first. Queries: one."""
    rows = Erasure.objects.select_related("actor", "key").order_by("-at", "-pk")[:LATEST_ERASURES]
    return tuple(
        ErasureRow(
            at=row.at,
            way=ErasureWay(row.way),
            who=row.actor.get_username() if row.actor else row.key.name if row.key else "",
            n_reports=row.n_reports,
        )
        for row in rows
    )


def _check_role(actor_id: int) -> None:
    if not includes(role := account_role(user_id=actor_id), Role.RESPONDER):
        yours = f"Your role is {role.value}" if role else "You have no role"
        raise NotAllowed(f"{yours}; to read or erase what is held of a reporter takes a responder. Ask an admin.")


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _found(asked: str, by: str, ids: list[UUID]) -> Found:
    return Found(asked, by, tuple(holdings_of(ids[:MOST_FOUND])), is_cut=len(ids) > MOST_FOUND)


def _by_address(address: str) -> list[UUID]:
    rows = ReportContact.objects.filter(address__iexact=address).order_by("-report_id")
    return list(rows.values_list("report_id", flat=True)[: MOST_FOUND + 1])


def _by_name(name: str, *, now: datetime) -> list[UUID]:
    """Return the reports of the last days whose client called their reporter so: as long as the salts are kept."""
    clients = [f"key:{pk}" for pk in ApiKey.objects.values_list("pk", flat=True)]
    asked = fingerprints.still_known("name", parts=[(client, name) for client in clients], now=now)
    since = first_id(now - timedelta(days=fingerprints.KEEP_DAYS + 1))
    rows = Report.objects.filter(id__gte=since, reporter__in=asked).order_by("-id") if asked else Report.objects.none()
    return list(rows.values_list("id", flat=True)[: MOST_FOUND + 1])
