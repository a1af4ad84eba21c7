"""Counting who reports: each report once, by its source and the five minutes in which it came.

Invariant: called in the transaction that places the reports, under the service's lock, so counts and placements agree
and no two workers want the same rows. History is not counted, for it does not tell whether a source is alive. Not here:
what is usual for a source, and what follows when it is not as usual (`detection.sources`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

BIN: Final = timedelta(minutes=5)
N_BINS: Final = 12


@dataclass(frozen=True, slots=True)
class Came:
    """How a report came: through which channel, with which key, from where, when."""

    channel: str
    key_id: int | None
    region: str
    received_at: datetime
    counted_at: datetime


def count_sources(service_id: int, reports: Sequence[Came]) -> None:
    """Count the reports that came in time. Queries: two, one more for a source that was never heard of."""
    in_time = [one for one in reports if one.counted_at >= one.received_at]
    if not in_time:
        return
    ids = _ids_of({(one.channel, one.key_id): one.received_at for one in reversed(in_time)})
    cells: dict[tuple[int, str, datetime], list[int]] = {}
    for one in in_time:
        hour = one.received_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        bins = cells.setdefault((ids[one.channel, one.key_id], one.region, hour), [0] * N_BINS)
        bins[(one.received_at - hour) // BIN] += 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reports_sourcecount AS c (service_id, source_id, region, hour, bins)"
            " SELECT %s, source, region, hour, string_to_array(bins, ',')::int[]"
            " FROM unnest(%s::bigint[], %s::varchar[], %s::timestamptz[], %s::text[]) AS u (source, region, hour, bins)"
            " ON CONFLICT (service_id, source_id, region, hour) DO UPDATE SET bins = ARRAY("
            "SELECT a + b FROM unnest(c.bins, excluded.bins) WITH ORDINALITY AS s (a, b, i) ORDER BY i)",
            [
                service_id,
                [source_id for source_id, _, _ in cells],
                [region for _, region, _ in cells],
                [hour for _, _, hour in cells],
                # As words: an array of arrays is unnested to its numbers.
                [",".join(map(str, bins)) for bins in cells.values()],
            ],
        )


def _ids_of(first_heard: dict[tuple[str, int | None], datetime]) -> dict[tuple[str, int | None], int]:
    """Return the sources' ids, and make those that are new."""
    found = _read_ids()
    if new := sorted(first_heard.keys() - found.keys(), key=lambda source: (source[0], source[1] or 0)):
        with connection.cursor() as cursor:
            # Two services may hear of a source at once: in one order, so that neither waits for the other's other row.
            cursor.execute(
                "INSERT INTO reports_source (channel, key_id, first_heard_at, rates_per_hour, dispersion, log10_rarest)"
                " SELECT channel, key, heard, '{}', 1, 0 FROM unnest(%s::varchar[], %s::bigint[], %s::timestamptz[])"
                " WITH ORDINALITY AS u (channel, key, heard, place) ORDER BY place ON CONFLICT DO NOTHING",
                [
                    [channel for channel, _ in new],
                    [key_id for _, key_id in new],
                    [first_heard[source] for source in new],
                ],
            )
        found = _read_ids()
    return found


def _read_ids() -> dict[tuple[str, int | None], int]:
    # A few rows. Remembered, an id could be one of a transaction that was rolled back.
    with connection.cursor() as cursor:
        cursor.execute("SELECT channel, key_id, id FROM reports_source")
        return {(channel, key_id): source_id for channel, key_id, source_id in cursor.fetchall()}
