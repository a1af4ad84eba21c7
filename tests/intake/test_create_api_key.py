"""The command that makes a key: the secret alone on standard output, so that a script can take it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from reports.enums import Scope
from reports.intake.apikeys import authenticate_key

pytestmark = pytest.mark.django_db


def test_the_key_that_is_printed_works() -> None:
    out, err = StringIO(), StringIO()

    call_command("create_api_key", "Support desk", "--scope", "intake", "--scope", "read", stdout=out, stderr=err)

    known = authenticate_key(out.getvalue().strip(), now=timezone.now())
    assert known is not None
    assert known.scopes == {Scope.INTAKE, Scope.READ}
    assert "'Support desk' (intake, read)" in err.getvalue()


@pytest.mark.parametrize("arguments", [["x"], ["x", "--scope", "admin"], ["", "--scope", "read"]])
def test_nonsense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_api_key", *arguments, stdout=StringIO(), stderr=StringIO())
