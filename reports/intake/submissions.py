"""What the faces hand to the writer, what it hands back: plain values, on their way into the database or the spool.

The spool stores a `Submission` as it stands here: a new field needs a default, or records of an older version can't be
read. Structs and not dataclasses: a thousand times a second each is made in a tenth of the time.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from reports.intake.contract import ReportIn


class ReportRow(msgspec.Struct, frozen=True):
    """A report ready to be stored: normalised, scrubbed, its reporter and network fingerprints, its service known."""

    id: UUID
    service_id: int
    channel: str
    report: ReportIn
    reporter: bytes
    received_at: datetime
    counted_at: datetime
    network: bytes = b""
    key_id: int | None = None
    suspicion: str = ""


class Idempotency(msgspec.Struct, frozen=True):
    """A client's key, and the digest of the body it came with."""

    client: str
    key: str
    body_digest: bytes


class Submission(msgspec.Struct, frozen=True):
    """The reports of one request, accepted or refused together; `errors` is what a batch's other items were told."""

    rows: tuple[ReportRow, ...]
    idempotency: Idempotency | None = None
    errors: tuple[dict[str, object], ...] = ()


class Written(msgspec.Struct, frozen=True):
    """What was stored for a submission; for a repeated key what was stored the first time."""

    report_ids: tuple[UUID, ...]
    errors: tuple[dict[str, object], ...] = ()
    is_repeat: bool = False
