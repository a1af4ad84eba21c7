"""Ids: UUIDv7 as RFC 9562 lays it out, in the order of their times, each a member of its day's range."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.intake.ids import first_id, id_time, uuid7
from tests.factories import NOW

MILLISECOND = timedelta(milliseconds=1)
# The 48 bits of an id's time reach from 1970 to the year 10889.
times = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # zone beside
QUICK = settings(max_examples=100, deadline=None)


def test_an_id_is_a_version_7_uuid() -> None:
    made = uuid7(NOW)

    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_begins_with_the_milliseconds_of_its_time() -> None:
    # The example of RFC 9562, appendix A.6: 22 February 2022, 14:22:22 at UTC-5.
    at = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))

    assert str(uuid7(at)).startswith("017f22e2-79b0-7")


@QUICK
@given(at=times)
def test_an_id_tells_its_time_to_the_millisecond(at: datetime) -> None:
    told = id_time(uuid7(at))

    assert timedelta(0) <= at - told < MILLISECOND


@QUICK
@given(one=times, other=times)
def test_ids_are_in_the_order_of_their_times(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])

    assert uuid7(earlier) < uuid7(later + MILLISECOND)


@QUICK
@given(at=times)
def test_an_id_lies_within_the_range_of_its_moment(at: datetime) -> None:
    assert first_id(at) <= uuid7(at) < first_id(at + MILLISECOND)


def test_ids_of_one_moment_differ() -> None:
    assert len({uuid7(NOW) for _ in range(1_000)}) == 1_000


def test_the_random_bits_fill_their_places() -> None:
    seen_ones, seen_zeros = 0, 0
    for _ in range(200):
        value = uuid7(NOW).int
        seen_ones |= value
        seen_zeros |= ~value

    random_places = (0xFFF << 64) | ((1 << 62) - 1)
    assert seen_ones & random_places == random_places
    assert seen_zeros & random_places == random_places


def test_the_first_id_of_a_moment_has_nothing_but_its_time() -> None:
    assert first_id(datetime(1970, 1, 1, tzinfo=UTC)) == UUID(int=0)
