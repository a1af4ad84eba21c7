"""Limits of what one sender may bring, proof of work, and what a form gives away."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from reports.enums import Suspicion
from reports.intake import abuse, buckets, proofs
from reports.intake.abuse import FormSigns
from reports.intake.buckets import Bucket
from tests.factories import NOW

NONCE = "a-nonce-of-this-rendering"
ADDRESS = "192.0.2.7"
LATER = NOW + timedelta(seconds=30)


def solved(challenge: dict[str, Any], **other: object) -> str:
    """Do the work."""
    number = next(
        number
        for number in range(challenge["maxnumber"] + 1)
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]
    )
    told = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return b64encode(json.dumps(told | other).encode()).decode()


def signs(*, at: datetime = NOW, **fields: str) -> FormSigns:
    return FormSigns(**{"nonce": NONCE, "mark": abuse.form_mark(NONCE, now=at)} | fields)


@pytest.mark.usefixtures("broker")
def test_a_bucket_gives_what_it_holds_and_then_tells_how_long_to_wait() -> None:
    bucket = Bucket("one", capacity=3, fill_seconds=300)

    levels = [buckets.take([bucket])[0] for _ in range(4)]

    assert [level.wait_seconds > 0 for level in levels] == [False, False, False, True]
    assert 95 < levels[-1].wait_seconds <= 100


@pytest.mark.usefixtures("broker")
def test_a_bucket_fills_up_again() -> None:
    bucket = Bucket("quick", capacity=2, fill_seconds=0.2)
    buckets.take([bucket], cost=2)

    time.sleep(0.25)

    assert buckets.take([bucket])[0].wait_seconds == 0


@pytest.mark.usefixtures("broker")
def test_of_many_at_once_no_more_pass_than_the_bucket_holds() -> None:
    bucket = Bucket("race", capacity=10, fill_seconds=3_600)

    with ThreadPoolExecutor(8) as threads:
        levels = list(threads.map(lambda _: buckets.take([bucket])[0], range(40)))

    assert sum(level.wait_seconds == 0 for level in levels) == 10


@pytest.mark.usefixtures("broker")
def test_looking_takes_nothing() -> None:
    bucket = Bucket("looked at", capacity=2, fill_seconds=3_600)

    for _ in range(5):
        assert buckets.take([bucket], cost=0)[0].tokens == 2


@pytest.mark.usefixtures("no_broker")
def test_without_a_broker_everything_passes_at_once() -> None:
    began = time.monotonic()

    levels = [buckets.take([Bucket("any", capacity=1)])[0] for _ in range(1_000)]

    assert not any(level.wait_seconds for level in levels)
    assert time.monotonic() - began < 2


@pytest.mark.usefixtures("no_broker")
def test_a_solved_challenge_is_a_proof_once(settings: Any) -> None:
    settings.PROOF_OF_WORK = 500
    proof = solved(proofs.new_challenge(now=NOW))

    assert proofs.is_proof(proof, now=LATER)
    assert not proofs.is_proof(proof, now=LATER)


@pytest.mark.usefixtures("broker")
def test_a_proof_counts_once_among_all_processes(settings: Any) -> None:
    settings.PROOF_OF_WORK = 500
    proof = solved(proofs.new_challenge(now=NOW))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: proofs.is_proof(proof, now=LATER), range(16))) == 1


@pytest.mark.usefixtures("no_broker")
def test_an_old_proof_counts_no_more(settings: Any) -> None:
    settings.PROOF_OF_WORK = 500
    proof = solved(proofs.new_challenge(now=NOW))

    assert not proofs.is_proof(proof, now=NOW + proofs.VALID_FOR)


@pytest.mark.usefixtures("no_broker")
def test_no_digit_can_be_moved_from_the_number_into_the_salt(settings: Any) -> None:
    """As "…expires=17&" and "25" are "…expires=17&2" and "5": one work would make many proofs."""
    settings.PROOF_OF_WORK = 500
    told = json.loads(b64decode(solved(proofs.new_challenge(now=NOW))))
    digits = str(told["number"]).rjust(2, "0")
    spliced = told | {"salt": told["salt"] + digits[0], "number": int(digits[1:])}

    assert not proofs.is_proof(b64encode(json.dumps(spliced).encode()).decode(), now=LATER)


@pytest.mark.usefixtures("no_broker")
@pytest.mark.parametrize(
    "other",
    [{"number": -1}, {"number": "7"}, {"number": True}, {"signature": "0" * 64}, {"algorithm": "SHA-1"}, {"salt": 3}],
)
def test_what_is_no_solution_is_no_proof(settings: Any, other: dict[str, object]) -> None:
    settings.PROOF_OF_WORK = 500
    proof = solved(proofs.new_challenge(now=NOW), **other)

    assert not proofs.is_proof(proof, now=LATER)


@pytest.mark.parametrize("word", ["", "x", "bm8=", "W10=", "e30=", "A" * 5_000, "é"])
def test_nonsense_is_no_proof(word: str) -> None:
    assert not proofs.is_proof(word, now=NOW)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_broker")
def test_a_person_gives_nothing_away() -> None:
    assert abuse.suspicion_of(signs(), service="mail", address=ADDRESS, now=LATER) == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("no_broker")
@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        (signs(trap="https://example.org"), LATER, Suspicion.TRAP),
        (signs(), NOW + timedelta(seconds=1.5), Suspicion.TOO_FAST),
        (signs(mark=""), LATER, Suspicion.TOO_FAST),
        (signs(mark="1:2"), LATER, Suspicion.TOO_FAST),
        (signs(nonce="another-nonce-of-a-form"), LATER, Suspicion.TOO_FAST),
    ],
)
def test_a_machine_gives_itself_away(given: FormSigns, now: datetime, expected: Suspicion) -> None:
    assert abuse.suspicion_of(given, service="mail", address=ADDRESS, now=now) == expected


@pytest.mark.django_db
@pytest.mark.usefixtures("broker")
def test_what_a_web_page_sends_takes_from_the_same_buckets_as_the_form(settings: Any) -> None:
    settings.FORM_REPORTS_OF_A_NETWORK_PER_MINUTE = 3
    abuse.suspicion_of(signs(), service="mail", address=ADDRESS, now=LATER)

    found = [abuse.suspicion_in_a_crowd(service="mail", address=ADDRESS, now=LATER) for _ in range(3)]

    assert found == ["", "", Suspicion.NO_PROOF]
    assert abuse.suspicion_in_a_crowd(service="mail", address="198.51.100.1", now=LATER) == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("broker")
def test_a_flood_is_asked_for_proof_and_held_back_without_it(settings: Any) -> None:
    settings.PROOF_OF_WORK = 500
    settings.FORM_REPORTS_OF_A_NETWORK_PER_MINUTE = 5
    before = abuse.asks_for_proof(service="mail", address=ADDRESS, now=LATER)
    found = [abuse.suspicion_of(signs(), service="mail", address=ADDRESS, now=LATER) for _ in range(7)]

    proof = solved(proofs.new_challenge(now=LATER))

    assert not before
    assert found == [""] * 5 + [Suspicion.NO_PROOF] * 2
    assert abuse.asks_for_proof(service="mail", address=ADDRESS, now=LATER)
    assert not abuse.asks_for_proof(service="mail", address="198.51.100.1", now=LATER)
    assert abuse.suspicion_of(signs(proof=proof), service="mail", address=ADDRESS, now=LATER) == ""
    assert abuse.suspicion_of(signs(proof=proof), service="mail", address=ADDRESS, now=LATER) == Suspicion.NO_PROOF


@pytest.mark.usefixtures("broker")
@pytest.mark.django_db
def test_a_network_that_floods_a_service_has_nobody_elses_reports_held_back(settings: Any) -> None:
    settings.FORM_REPORTS_PER_MINUTE = 10
    settings.FORM_REPORTS_OF_A_NETWORK_PER_MINUTE = 3

    flood = [abuse.suspicion_of(signs(), service="mail", address=ADDRESS, now=LATER) for _ in range(30)]

    assert flood == [""] * 3 + [Suspicion.NO_PROOF] * 27
    assert abuse.suspicion_of(signs(), service="mail", address="198.51.100.7", now=LATER) == ""
    assert abuse.suspicion_in_a_crowd(service="mail", address="203.0.113.7", now=LATER) == ""
