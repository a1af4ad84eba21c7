"""Fingerprints: the same for the same reporter on a day, nothing to anybody else, and salts that are forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection

from reports.intake import fingerprints
from reports.intake.fingerprints import (
    ANONYMOUS,
    KEEP_DAYS,
    fingerprint,
    forget_remembered_salts,
    forget_salts,
    salt_of,
    wording,
)
from reports.models import FingerprintSalt
from tests.factories import NOW

TODAY = NOW.date()


@pytest.mark.django_db
def test_the_same_parts_have_the_same_fingerprint_all_day() -> None:
    morning = fingerprint("network", "192.0.2.7", "Firefox", at=NOW.replace(hour=0))

    assert fingerprint("network", "192.0.2.7", "Firefox", at=NOW.replace(hour=23)) == morning
    assert len(morning) == 16


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parts", [("network", "192.0.2.8", "Firefox"), ("network", "192.0.2.7", ""), ("name", "192.0.2.7", "Firefox")]
)
def test_other_parts_have_another_fingerprint(parts: tuple[str, ...]) -> None:
    assert fingerprint(*parts, at=NOW) != fingerprint("network", "192.0.2.7", "Firefox", at=NOW)


@pytest.mark.django_db
def test_where_parts_are_divided_makes_a_difference() -> None:
    assert fingerprint("ab", "c", at=NOW) != fingerprint("a", "bc", at=NOW)


@pytest.mark.django_db
def test_the_next_day_knows_nobody() -> None:
    today = fingerprint("name", "client", "ada", at=NOW)

    assert fingerprint("name", "client", "ada", at=NOW + timedelta(days=1)) != today


def test_nothing_to_tell_reporters_apart_is_nobody() -> None:
    assert fingerprint("", "", at=NOW) == ANONYMOUS


@pytest.mark.django_db
def test_another_process_reads_the_same_salt() -> None:
    made = salt_of(TODAY)

    forget_remembered_salts()

    assert salt_of(TODAY) == made
    assert len(made) == fingerprints.SALT_BYTES


@pytest.mark.django_db(transaction=True)
def test_processes_that_make_a_salt_at_once_agree() -> None:
    def as_a_process_of_its_own(_: int) -> bytes:
        forget_remembered_salts()
        try:
            return salt_of(TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        salts = set(threads.map(as_a_process_of_its_own, range(24)))

    assert len(salts) == 1


@pytest.mark.django_db
def test_a_remembered_salt_costs_no_query(django_assert_num_queries: Any) -> None:
    salt_of(TODAY)

    with django_assert_num_queries(0):
        fingerprint("name", "client", "ada", at=NOW)


@pytest.mark.django_db
def test_a_database_that_is_away_at_midnight_stops_nobody() -> None:
    salt_of(TODAY)
    tomorrow = TODAY + timedelta(days=1)

    with mock.patch.object(FingerprintSalt.objects, "bulk_create", side_effect=OperationalError):
        salt = salt_of(tomorrow)
        with pytest.raises(OperationalError):
            salt_of(tomorrow + timedelta(days=1))
    forget_remembered_salts()

    assert salt_of(tomorrow) == salt


@pytest.mark.django_db
def test_salts_are_forgotten_once_their_days_are_over_for_good() -> None:
    for ago in range(KEEP_DAYS + 3):
        salt_of(TODAY - timedelta(days=ago))

    n_forgotten = forget_salts(now=NOW)

    kept = set(FingerprintSalt.objects.values_list("day", flat=True))
    assert n_forgotten == 2
    assert kept == {TODAY - timedelta(days=ago) for ago in range(-1, KEEP_DAYS + 1)}


@pytest.mark.django_db
def test_forgetting_twice_is_harmless() -> None:
    salt_of(TODAY - timedelta(days=9))
    forget_salts(now=NOW)

    assert forget_salts(now=NOW) == 0


@pytest.mark.django_db
def test_a_process_forgets_old_salts_when_a_new_day_begins() -> None:
    salt_of(TODAY - timedelta(days=KEEP_DAYS + 2))

    salt_of(TODAY)

    assert set(fingerprints._salts) == {TODAY, TODAY + timedelta(days=1)}


@pytest.mark.django_db
def test_a_forgotten_salt_is_never_made_again_the_same() -> None:
    old = date(2026, 1, 1)
    before = salt_of(old)
    forget_salts(now=NOW)
    forget_remembered_salts()

    assert salt_of(old) != before


def test_copied_words_are_known_again_without_case_links_and_addressees() -> None:
    original = wording("Nothing loads at all since this morning, please fix! https://t.co/x")

    assert wording("@support nothing loads at all since this morning please FIX") == original != ""


@pytest.mark.parametrize(
    "text", ["", "can't log in", "it does not work at all", "@a @b @c @d @e @f @g @h https://x.y/z"]
)
def test_short_complaints_are_alike_because_the_trouble_is(text: str) -> None:
    assert wording(text) == ""
