"""Keys: what is kept of them, who is recognised, and how soon a revoked one is refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError

from reports.enums import Scope
from reports.errors import InvalidInput, NotFound, StoreUnavailable
from reports.intake import apikeys, availability
from reports.intake.apikeys import KeyRevoked, NewKey, authenticate_key, create_key, list_keys, revoke_key
from reports.intake.remembered import LOOK_AGAIN_SECONDS, REMEMBER_SECONDS
from reports.models import ApiKey
from tests.factories import make_user

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def make_key(*scopes: Scope, name: str = "Support desk", now: datetime = NOW) -> NewKey:
    return create_key(name=name, scopes=scopes or (Scope.INTAKE,), created_by_id=None, now=now)


def another_process_revokes(key: NewKey) -> None:
    ApiKey.objects.filter(pk=key.id).update(revoked_at=NOW)


def test_a_key_is_known_by_its_secret() -> None:
    key = make_key(Scope.READ, Scope.INTAKE)

    known = authenticate_key(key.secret, now=NOW)

    assert known is not None
    assert (known.id, known.name, known.scopes) == (key.id, "Support desk", {Scope.INTAKE, Scope.READ})


def test_the_secret_is_not_stored() -> None:
    key = make_key()

    row = ApiKey.objects.get()

    assert key.secret.startswith(f"outcry_{row.prefix}_")
    assert bytes(row.digest) == hashlib.sha256(key.secret.encode()).digest()
    assert key.secret not in str(ApiKey.objects.values().get())


def test_a_key_that_stands_in_pages_may_do_nothing_else() -> None:
    with pytest.raises(InvalidInput, match="public"):
        make_key(Scope.PUBLIC, Scope.INTAKE)

    assert authenticate_key(make_key(Scope.PUBLIC).secret, now=NOW) is not None


def test_two_keys_differ() -> None:
    assert make_key().secret != make_key().secret


@pytest.mark.parametrize(
    "change", [str.lower, str.upper, lambda key: key + "x", lambda key: key[:-1], lambda _: "", lambda key: f" {key}"]
)
def test_another_secret_is_not_known(change: Any) -> None:
    key = make_key()

    assert authenticate_key(change(key.secret), now=NOW) is None


def test_a_revoked_key_is_told_apart_from_a_wrong_one() -> None:
    key = make_key()

    revoke_key(key_id=key.id, now=NOW)

    with pytest.raises(KeyRevoked, match="'Support desk' has been revoked"):
        authenticate_key(key.secret, now=NOW)


def test_revoking_twice_keeps_the_first_time() -> None:
    key = make_key()
    revoke_key(key_id=key.id, now=NOW)

    row = revoke_key(key_id=key.id, now=NOW + timedelta(days=1))

    assert row.revoked_at == NOW


def test_revoking_what_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="no API key 7"):
        revoke_key(key_id=7, now=NOW)


def test_a_key_that_another_process_revoked_is_refused_once_the_memory_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key()
    authenticate_key(key.secret, now=NOW)
    another_process_revokes(key)

    remembered = authenticate_key(key.secret, now=NOW)
    monkeypatch.setattr(apikeys.table, "read_at", apikeys.table.read_at - REMEMBER_SECONDS)

    assert remembered is not None
    with pytest.raises(KeyRevoked):
        authenticate_key(key.secret, now=NOW)


def test_a_key_that_another_process_made_is_found_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    authenticate_key(make_key().secret, now=NOW)
    monkeypatch.setattr(apikeys, "forget_keys", lambda: None)
    other = make_key()

    at_once = authenticate_key(other.secret, now=NOW)
    monkeypatch.setattr(apikeys.table, "read_at", apikeys.table.read_at - LOOK_AGAIN_SECONDS)

    assert at_once is None
    assert authenticate_key(other.secret, now=NOW) is not None


def test_a_remembered_key_costs_no_query(django_assert_num_queries: Any) -> None:
    key = make_key()
    authenticate_key(key.secret, now=NOW)

    with django_assert_num_queries(0):
        authenticate_key(key.secret, now=NOW + timedelta(seconds=59))


def test_a_flood_of_wrong_keys_is_no_flood_of_queries(django_assert_num_queries: Any) -> None:
    authenticate_key(make_key().secret, now=NOW)

    with django_assert_num_queries(0):
        for _ in range(50):
            authenticate_key(f"outcry_{'A' * 8}_{'B' * 40}", now=NOW)


def test_the_use_of_a_key_is_noted_once_a_minute() -> None:
    key = make_key()

    authenticate_key(key.secret, now=NOW)
    authenticate_key(key.secret, now=NOW + timedelta(seconds=59))
    first = ApiKey.objects.get().last_used_at
    authenticate_key(key.secret, now=NOW + timedelta(seconds=60))

    assert first == NOW
    assert ApiKey.objects.get().last_used_at == NOW + timedelta(seconds=60)


def test_keys_that_cannot_be_read_are_no_wrong_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key()

    def away(*args: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(ApiKey.objects, "only", away)

    with pytest.raises(StoreUnavailable):
        authenticate_key(key.secret, now=NOW)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\u202eb"])
def test_a_name_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        make_key(name=name)


@pytest.mark.parametrize("scopes", [[], ["admin"], ["intake", "INTAKE"]])
def test_scopes_that_are_none_are_refused(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput, match="intake, read, manage"):
        create_key(name="x", scopes=scopes, created_by_id=None, now=NOW)


def test_keys_are_listed_the_ones_in_use_first_the_newest_first(django_assert_num_queries: Any) -> None:
    grace = make_user(username="grace")
    old = make_key(name="old")
    revoked = make_key(name="revoked", now=NOW + timedelta(hours=2))
    new = create_key(name="new", scopes=["read", "read"], created_by_id=grace.pk, now=NOW + timedelta(hours=1))
    revoke_key(key_id=revoked.id, now=NOW)

    with django_assert_num_queries(1):
        rows = list_keys()

    assert [row.id for row in rows] == [new.id, old.id, revoked.id]
    assert (rows[0].created_by, rows[0].scopes, rows[0].prefix) == ("grace", (Scope.READ,), new.prefix)


def test_while_the_database_is_away_the_last_copy_serves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key()
    authenticate_key(key.secret, now=NOW)
    revoked = make_key()
    revoke_key(key_id=revoked.id, now=NOW)
    authenticate_key(key.secret, now=NOW)

    monkeypatch.setattr(apikeys.table, "read_at", apikeys.table.read_at - REMEMBER_SECONDS)
    with mock.patch.object(ApiKey.objects, "only", side_effect=OperationalError):
        found = authenticate_key(key.secret, now=NOW)
        with pytest.raises(KeyRevoked):
            authenticate_key(revoked.secret, now=NOW)

    assert found is not None
    assert found.id == key.id
    assert availability.is_away()
