"""The command `python -m ml detect`: counts by minute in, alarms out.

Reads `minute,stream,count` from standard input, oldest first, and plays it through the detector of `watch`; so a
detector can be judged on a file. A stream is a path such as `chat/US/US-CA`: its first part is the service, which has
the profile, and every node of the path has a level. Nothing is written unless the whole input was sound.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TextIO

from ml.watch import Alarm, ServiceWatch
from ml.young import watched_since

HEADER_IN = ["minute", "stream", "count"]
HEADER_OUT = [
    "stream",
    "suspected_minute",
    "confirmed_minute",
    "onset_minute",
    "ended_minute",
    "expected",
    "observed",
    "p_value",
    "regions",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What no service has: a mistyped year would have the detector walk through centuries of silence, hour by hour.
_LEAST_YEAR, _MOST_YEAR = 1970, 2199
_MOST_COUNT = 10**9
_MOST_LEVELS = 16


class BadInputError(ValueError):
    """A line of the input is wrong; the message names it."""


def find_alarms(rows: Iterator[tuple[int, str, int]]) -> list[Alarm]:
    """Play sorted rows (minute since 1970, stream, count) through the detector.

    Parameters
    ----------
    rows : iterator of (int, str, int)
        Oldest first; a stream may occur more than once a minute.

    Returns
    -------
    list of Alarm
        By the minute they were suspected; those still open at the last row have no `ended`.

    Notes
    -----
    Cost O(rows + hours · nodes · 60 · windows), the latter only in hours with reports.

    Examples
    --------
    >>> quiet = [(60 * hour, "chat/US", 1) for hour in range(400)]
    >>> flood = [(60 * 400 + minute, "chat/US", 9) for minute in range(30)]
    >>> [alarm.root for alarm in find_alarms(iter(quiet + flood))]
    ['chat/US']
    """
    watches: dict[str, ServiceWatch] = {}
    pending: dict[str, dict[str, list[int]]] = {}
    hour, minute = 0, 0
    recorded_since = 2**62
    for minute, stream, count in rows:
        recorded_since = min(recorded_since, minute)
        if minute // 60 != hour:
            _take_all(watches, pending, hour, recorded_since=recorded_since)
            pending, hour = {}, minute // 60
        service = stream.partition("/")[0]
        by_stream = pending.setdefault(service, {})
        if stream not in by_stream:
            by_stream[stream] = [0] * 60
        by_stream[stream][minute % 60] += count
    _take_all(watches, pending, hour, recorded_since=recorded_since, n_minutes=minute % 60 + 1)
    for watch in watches.values():  # services that fell silent before the end
        if watch.next_hour <= hour:
            watch.take_hour(hour, {}, n_minutes=minute % 60 + 1)
    alarms = [alarm for watch in watches.values() for alarm in watch.ended + watch.alarms]
    return sorted(alarms, key=lambda alarm: (alarm.suspected, alarm.root))


def read_rows(lines: TextIO) -> Iterator[tuple[int, str, int]]:
    """Read and check `minute,stream,count` lines; a header is accepted.

    Raises
    ------
    BadInputError
        Naming the line and what is wrong with it.
    """
    last_minute, last_text = -(2**62), ""
    reader = csv.reader(lines)
    try:
        for row in reader:
            if not row or (reader.line_num == 1 and [cell.strip().lstrip("\ufeff") for cell in row] == HEADER_IN):
                continue
            if len(row) != 3 or row[0] in HEADER_IN:
                raise BadInputError(
                    f"line {reader.line_num}: {','.join(row)[:60]!r} is not minute,stream,count; write these three"
                    " fields in this order, separated by commas"
                )
            text, stream, count_text = row
            if text != last_text:
                minute = _parse_minute(text, reader.line_num)
                if minute < last_minute:
                    raise BadInputError(
                        f"line {reader.line_num}: {text} is earlier than the line before; sort by minute"
                    )
                last_minute, last_text = minute, text
            yield last_minute, _checked_stream(stream, reader.line_num), _parse_count(count_text, reader.line_num)
    except csv.Error as error:
        raise BadInputError(f"line {reader.line_num}: {error}; mend or leave out this line") from None


def main(argv: Sequence[str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Run the command; 0 when done, 2 when the input is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m ml detect",
        description="Find outages in counts: minute,stream,count on standard input, alarms on standard output."
        " expected, observed and p_value are those of the clearest minute; regions are separated by ';'.",
    )
    parser.parse_args(argv)
    try:
        alarms = find_alarms(read_rows(stdin))
    except BadInputError as error:
        print(error, file=stderr)
        return 2
    writer = csv.writer(stdout, lineterminator="\n")
    writer.writerow(HEADER_OUT)
    for alarm in alarms:
        writer.writerow(
            [
                alarm.root,
                _format_minute(alarm.suspected),
                _format_minute(alarm.confirmed),
                _format_minute(alarm.onset),
                _format_minute(alarm.ended),
                f"{alarm.expected:.3f}",
                f"{alarm.observed:.0f}",
                f"{alarm.p_value:.3g}",
                ";".join(sorted(region.rpartition("/")[2] for region in alarm.regions if "/" in region)),
            ]
        )
    return 0


def _take_all(
    watches: dict[str, ServiceWatch],
    pending: dict[str, dict[str, list[int]]],
    hour: int,
    *,
    recorded_since: int,
    n_minutes: int = 60,
) -> None:
    for service, by_stream in pending.items():
        if service not in watches:
            first = min(at for counts in by_stream.values() for at, n in enumerate(counts) if n or at == 59)
            since = watched_since(hour * 60 + first, recorded_since)
            watches[service] = ServiceWatch(service, first_hour=hour, watched_since=since)
        watches[service].take_hour(hour, by_stream, n_minutes=n_minutes)


def _parse_minute(text: str, line: int) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(
            f"line {line}: {text!r} is no RFC 3339 time; write UTC times such as 2026-01-31T12:00Z"
            f" (a header, if any, is {','.join(HEADER_IN)})"
        ) from None
    if moment.tzinfo is None:
        raise BadInputError(f"line {line}: {text!r} has no time zone; write UTC times such as 2026-01-31T12:00Z")
    if not _LEAST_YEAR <= moment.year <= _MOST_YEAR:
        raise BadInputError(f"line {line}: {text!r} is not between {_LEAST_YEAR} and {_MOST_YEAR}; correct its year")
    return (moment - _EPOCH) // timedelta(minutes=1)


def _checked_stream(stream: str, line: int) -> str:
    if not stream or "" in stream.split("/"):
        raise BadInputError(f"line {line}: stream {stream!r} is no path such as chat/US/US-CA; write one")
    if stream.count("/") >= _MOST_LEVELS:
        raise BadInputError(
            f"line {line}: stream {stream[:40]!r}… has {stream.count('/') + 1} levels; {_MOST_LEVELS} are the most"
        )
    return stream


def _parse_count(text: str, line: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadInputError(
            f"line {line}: count {text!r} is no whole number from 0 on; write the reports of the minute"
        )
    if len(text) > len(str(_MOST_COUNT)) or int(text) > _MOST_COUNT:
        raise BadInputError(f"line {line}: count {text[:20]} is above {_MOST_COUNT:,}; write the reports of one minute")
    return int(text)


def _format_minute(minute: int | None) -> str:
    return "" if minute is None else (_EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin, sys.stdout, sys.stderr))
