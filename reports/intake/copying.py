"""Reports into their table, with the batches that clustering will look for, in two trips to the database.

Invariant: rows and batches are one string of statements, so outside of a transaction they are one by themselves, and
no BEGIN and COMMIT travel for them. A trip wakes the writer's thread, and under load that takes the interpreter from
the event loop: for a group of a hundred reports five trips cost as much as all of its rows.

The driver takes COPY by itself only, so the string is handed to libpq: it returns where COPY asks for its rows, and
what COPY answers is the answer to the commit. Nothing that came with a report is ever part of that string.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import psycopg
from django.db import connection
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus

from reports.intake.submissions import ReportRow
from reports.models import IntakeBatch, Report

BATCH_REPORTS = 1_000  # reports an IntakeBatch: what one clustering transaction takes at the least

_COLUMNS = {
    "id": "uuid", "service_id": "int8", "channel": "varchar", "region": "varchar", "text": "text", "symptom": "varchar",
    "lang": "varchar", "reporter": "bytea", "network": "bytea", "source": "varchar", "url": "varchar",
    "release": "varchar", "trace": "varchar", "occurred_at": "timestamptz", "received_at": "timestamptz",
    "counted_at": "timestamptz", "key_id": "int8", "suspicion": "varchar",
}  # fmt: skip
_TYPES = tuple(_COLUMNS.values())
_COPY = f"COPY {Report._meta.db_table} ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_ADD_BATCHES = f"INSERT INTO {IntakeBatch._meta.db_table} (service_id, report_ids, written_at) VALUES "  # noqa: S608  a name of ours


def copy_rows(rows: Sequence[ReportRow], *, now: datetime) -> None:
    """Store the rows and their batches: in the running transaction, or else in one of their own that is committed then.

    Concurrency: the first trip can't be interrupted by a signal. Raises what Django raises for a database that refuses
    or breaks; then nothing is stored, unless the connection broke while the answer was awaited: then nobody knows.
    """
    statements = f"{_ADD_BATCHES}{_batches(rows, now=now)}; {_COPY}"
    # What the driver raises comes past Django's wrapper here; a broken connection must look as it does elsewhere.
    with connection.cursor() as wrapper, connection.wrap_database_errors:
        cursor = wrapper.cursor
        _begin_copy(cursor, statements.encode())
        with psycopg.Copy(cursor, binary=True) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                report = row.report
                copy.write_row(
                    (
                        row.id, row.service_id, row.channel, report.region, report.text, report.symptom, report.lang,
                        row.reporter, row.network, report.source, report.url, report.release, report.trace,
                        report.occurred_at or row.received_at, row.received_at, row.counted_at,
                        row.key_id, row.suspicion,
                    )
                )  # fmt: skip


def _begin_copy(cursor: psycopg.Cursor[object], statements: bytes) -> None:
    """Have statements executed, the last of them a COPY, up to where it waits for its rows."""
    result = cursor.connection.pgconn.exec_(statements)
    if result.status == ExecStatus.COPY_IN:
        return
    if result.error_field(DiagnosticField.SQLSTATE) is None:  # said by libpq and not by the server: it is gone
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)


def _batches(rows: Sequence[ReportRow], *, now: datetime) -> str:
    """Return the batches' values as SQL: numbers, ids and the moment, each written by its type."""
    by_service: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        by_service[row.service_id].append(row.id.hex)
    return ", ".join(
        f"({service_id:d}, '{{{','.join(ids[start : start + BATCH_REPORTS])}}}', '{now.isoformat()}')"
        for service_id, ids in by_service.items()
        for start in range(0, len(ids), BATCH_REPORTS)
    )
