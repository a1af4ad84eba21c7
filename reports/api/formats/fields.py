"""Filling a report's fields with what another format holds, where nobody is there to mend what does not fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from reports.errors import InvalidReport
from reports.intake.contract import MAX_CHARS, ReportIn, composed, from_mapping, normalise, without_forbidden


def fitting(fields: Mapping[str, Any], *, may_lack: Collection[str], now: datetime) -> ReportIn:
    """Return the report with these fields, without those of `may_lack` that break the contract.

    What else is wrong stays, and is told by whoever takes the report. Raises InvalidReport for a wrong type.
    """
    report = from_mapping(fields)
    try:
        normalise(report, now=now)
    except InvalidReport as invalid:
        left_out = {error.field: None if error.field == "occurred_at" else "" for error in invalid.errors}
        return msgspec.structs.replace(report, **{name: left_out[name] for name in left_out if name in may_lack})
    return report


def cut(value: str, field: str) -> str:
    """Return a value without forbidden characters and no longer than its field may be."""
    return composed(without_forbidden(value)).strip()[: MAX_CHARS[field]]


def moment(value: object) -> datetime | None:
    """Return the moment in RFC 3339 or in seconds since 1970; None for anything else, and for a time without a zone."""
    try:
        if isinstance(value, str):
            found = msgspec.convert(value, datetime)
            return found.astimezone(UTC) if found.tzinfo else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (msgspec.ValidationError, OverflowError, ValueError, OSError):
        pass
    return None
