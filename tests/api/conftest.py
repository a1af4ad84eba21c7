"""What the tests of the API share: room for today's reports, and a client that carries a key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import Scope
from reports.intake.apikeys import create_key
from reports.intake.services import prepare_storage

Caller = Callable[..., Client]


@pytest.fixture
def caller(transactional_db: None) -> Caller:
    """Return what makes a client with a new key of the given scopes.

    Rows are committed, for the writer has a thread of its own.
    """
    prepare_storage(now=timezone.now())

    def make(*scopes: Scope) -> Client:
        key = create_key(name="Support desk", scopes=scopes, created_by_id=None, now=timezone.now())
        return Client(headers={"Authorization": f"Bearer {key.secret}"}, raise_request_exception=False)

    return make
