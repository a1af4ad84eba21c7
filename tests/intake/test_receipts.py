"""Receipts: the token finds its report, and only a token that was signed here."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from uuid import UUID

import pytest
from django.core.signing import Signer
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reports.errors import NotFound
from reports.intake.ids import uuid7
from reports.intake.receipts import receipt_token, report_of
from tests.factories import NOW


@hypothesis_settings(max_examples=50, deadline=None)
@given(report_id=st.uuids())
def test_a_token_finds_the_report_it_was_made_for(report_id: UUID) -> None:
    assert report_of(receipt_token(report_id)) == report_id


@hypothesis_settings(max_examples=50, deadline=None)
@given(report_id=st.uuids())
def test_a_token_can_stand_in_an_address_as_it_is(report_id: UUID) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{40,80}", receipt_token(report_id))


@hypothesis_settings(max_examples=100, deadline=None)
@given(token=st.text(max_size=80) | st.text("AaZz09-_.=", max_size=80))
def test_no_other_text_raises_anything_but_not_found(token: str) -> None:
    with pytest.raises(NotFound, match="not complete"):
        report_of(token)


def test_a_token_with_another_reports_id_is_refused() -> None:
    own, others = receipt_token(uuid7(NOW)), receipt_token(uuid7(NOW))
    forged = others.partition(".")[0] + "." + own.partition(".")[2]

    with pytest.raises(NotFound):
        report_of(forged)


def test_a_token_that_was_cut_off_is_refused() -> None:
    with pytest.raises(NotFound):
        report_of(receipt_token(uuid7(NOW))[:-1])


def test_a_token_of_another_installation_is_refused() -> None:
    with override_settings(SECRET_KEY="another installation's key, of forty characters"):
        token = receipt_token(uuid7(NOW))

    with pytest.raises(NotFound):
        report_of(token)


@pytest.mark.parametrize("secret_key", ["first" * 10, "second" * 10])
def test_a_token_is_what_djangos_signer_makes_with_the_key_of_today(secret_key: str) -> None:
    report_id = uuid7(NOW)
    value = urlsafe_b64encode(report_id.bytes).rstrip(b"=").decode()

    with override_settings(SECRET_KEY=secret_key):
        assert receipt_token(report_id) == Signer(salt="outcry.receipt", sep=".").sign(value)
