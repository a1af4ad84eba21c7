"""Reports of a file, stored batch by batch: the same file brings the same reports once, however often it is imported.

A batch's idempotency key is its file's digest and its first line; the answer that is kept with it names the lines that
were refused. So a second run stores nothing but what was refused then and is right now, because its service was made
meanwhile. These keys are kept for as long as a dated report is taken at all. Not here: files and their formats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reports.enums import Channel
from reports.errors import InvalidReport
from reports.intake.contract import ReportIn
from reports.intake.services import IMPORT_CLIENT, Origin, make_row
from reports.intake.writer import Idempotency, ReportRow, Submission, Written, write_group

# Lines a transaction: what one COPY takes. The same in every version, or a file's second run has other batches.
BATCH_LINES: Final = 1_000
_ORIGIN: Final = Origin(Channel.BULK, client=IMPORT_CLIENT)
_SAME_BODY: Final = hashlib.sha256(b"import").digest()  # the key names the content already


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a file is: a report, or what is wrong with it. `number` counts from 1."""

    number: int
    report: ReportIn | InvalidReport


@dataclass(frozen=True, slots=True)
class StoredLines:
    """What became of a batch: reports stored now, reports that an earlier run had stored, and what was refused."""

    n_stored: int
    n_known: int
    refused: Mapping[int, InvalidReport]


def store_lines(*, lines: Sequence[Line], file_name: str, now: datetime, is_trial: bool = False) -> StoredLines:
    """Store the good lines of a batch in one transaction, and tell what is wrong with the others.

    `file_name` names the file by what it holds. With `is_trial` nothing is written, and all that is good counts as
    stored. Concurrency: two that import the same file at once store it once. Queries: those of `write_group`, or none.
    Raises whatever the database raises; then nothing of the batch is stored.
    """
    rows: dict[int, ReportRow] = {}
    refused: dict[int, InvalidReport] = {}
    for line in lines:
        try:
            if isinstance(line.report, InvalidReport):
                raise line.report
            rows[line.number] = make_row(report=line.report, origin=_ORIGIN, now=now)
        except InvalidReport as invalid:
            refused[line.number] = invalid
    if is_trial or not rows:  # a batch without a good line leaves no key: it may be mended
        return StoredLines(len(rows), 0, refused)
    name = f"{file_name}:{lines[0].number}"
    whole = Submission(tuple(rows.values()), _claim(name), tuple({"item": number} for number in refused))
    answer = _written(write_group([whole], now=now)[0])
    if not answer.is_repeat:
        return StoredLines(len(rows), 0, refused)
    were_refused = {error["item"] for error in answer.errors}
    late = [Submission((row,), _claim(f"{name}:{number}")) for number, row in rows.items() if number in were_refused]
    answers = [_written(each) for each in write_group(late, now=now)] if late else []
    n_stored = sum(not each.is_repeat for each in answers)
    return StoredLines(n_stored, len(rows) - n_stored, refused)


def _claim(key: str) -> Idempotency:
    return Idempotency(client=IMPORT_CLIENT, key=key, body_digest=_SAME_BODY)


def _written(answer: Written | Exception) -> Written:
    if isinstance(answer, Exception):
        raise answer
    return answer
