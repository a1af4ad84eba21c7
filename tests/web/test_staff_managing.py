"""Services and API keys as an admin manages them on pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from reports.enums import Role
from reports.intake.apikeys import authenticate_key, forget_keys
from reports.models import ApiKey, Service
from tests.factories import make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    forget_keys()
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    return client


def test_a_service_is_added(admin: Client) -> None:
    page = admin.post("/dashboard/services", {"slug": "mail", "name": "Mail", "is_public": "on"}, follow=True)

    assert "Mail takes reports now." in page.text
    assert Service.objects.get().is_public


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(admin: Client) -> None:
    page = admin.post("/dashboard/services", {"slug": "not a slug", "name": "<Mail>", "position": "first"})

    assert page.status_code == 422
    assert 'id="slug-error"' in page.text
    assert 'id="position-error"' in page.text
    assert 'value="not a slug"' in page.text
    assert 'value="&lt;Mail&gt;"' in page.text


def test_what_is_wrong_is_listed_in_the_order_of_the_fields(admin: Client) -> None:
    page = admin.post("/dashboard/services", {"slug": "not a slug", "name": "", "position": "first"}).text

    assert page.index('href="#name"') < page.index('href="#slug"') < page.index('href="#position"')


def test_the_page_of_a_service_tells_its_dsn(admin: Client) -> None:
    service = make_service("mail")

    page = admin.get(f"/dashboard/services/{service.pk}").text

    assert f"<code>http://KEY@testserver/{service.pk}</code>" in page


def test_a_service_is_edited(admin: Client) -> None:
    service = make_service("mail", name="Mail")

    admin.post(
        f"/dashboard/services/{service.pk}", {"slug": "post", "name": "Post", "position": "4", "is_active": "on"}
    )

    service.refresh_from_db()
    assert (service.slug, service.name, service.position, service.is_active, service.is_public) == (
        "post", "Post", 4, True, False,
    )  # fmt: skip


def test_a_services_clocks_and_holidays_are_edited_and_shown_again(admin: Client) -> None:
    service = make_service("mail", name="Mail")
    asked = {"slug": "mail", "name": "Mail", "position": "0", "time_zone": "Europe/Berlin"}

    admin.post(f"/dashboard/services/{service.pk}", {**asked, "holidays": "2026-12-25, 2026-12-26"})

    page = admin.get(f"/dashboard/services/{service.pk}").text
    assert 'value="Europe/Berlin"' in page
    assert "2026-12-25 2026-12-26</textarea>" in page


@pytest.mark.parametrize(
    ("field", "typed", "message"), [("holidays", "25 December", "“25” is no day"), ("time_zone", "CEST/x", "not known")]
)
def test_clocks_and_days_that_are_none_are_told_beside_their_field(
    admin: Client, field: str, typed: str, message: str
) -> None:
    page = admin.post("/dashboard/services", {"slug": "mail", "name": "Mail", field: typed})

    assert page.status_code == 422
    assert message in page.text.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert typed in page.text


@pytest.mark.parametrize("service_id", ["4711", "99999999999999999999999"])
def test_a_service_that_is_not_there_is_not_found(admin: Client, service_id: str) -> None:
    assert admin.get(f"/dashboard/services/{service_id}").status_code == 404


def test_a_new_key_is_shown_once(admin: Client) -> None:
    page = admin.post("/dashboard/keys", {"name": "Import", "scopes": ["intake", "read"]}).text
    secret = page.split('class="secret" readonly value="')[1].split('"')[0]

    known = authenticate_key(secret, now=timezone.now())

    assert known is not None
    assert known.name == "Import"
    assert secret not in admin.get("/dashboard/keys").text


def test_a_public_key_is_made_for_nothing_else(admin: Client) -> None:
    refused = admin.post("/dashboard/keys", {"name": "Pages", "scopes": ["public", "intake"]})
    made = admin.post("/dashboard/keys", {"name": "Pages", "scopes": ["public"]})

    assert (refused.status_code, made.status_code) == (422, 200)
    assert "for everybody to read" in refused.text
    assert ApiKey.objects.get().scopes == ["public"]


def test_a_key_without_a_scope_is_refused_with_words(admin: Client) -> None:
    page = admin.post("/dashboard/keys", {"name": "Import"})

    assert page.status_code == 422
    assert "without a scope" in page.text
    assert 'value="Import"' in page.text


def test_a_key_is_revoked(admin: Client) -> None:
    admin.post("/dashboard/keys", {"name": "Import", "scopes": ["intake"]})
    key = ApiKey.objects.get()

    page = admin.post(f"/dashboard/keys/{key.pk}/revoke", follow=True).text

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "Import is revoked" in page


def test_a_key_that_is_not_there_is_not_found(admin: Client) -> None:
    assert admin.post("/dashboard/keys/4711/revoke").status_code == 404
