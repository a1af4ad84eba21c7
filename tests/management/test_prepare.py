"""`manage.py prepare`: what a new database needs, made once however often it is asked for."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from reports.enums import Role
from reports.intake.partitions import DAYS_AHEAD, partition_name
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def prepare() -> str:
    out = io.StringIO()
    call_command("prepare", stdout=out)
    return out.getvalue()


def test_the_first_time_it_makes_an_account_and_tells_its_password() -> None:
    word, name, password = prepare().split()

    user = authenticate(username=name, password=password)
    assert (word, name) == ("staff", "admin")
    assert isinstance(user, User)
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert [group.name for group in user.groups.all()] == [Role.ADMIN]
    assert len(password) >= 16


def test_it_makes_the_roles() -> None:
    prepare()

    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


def test_it_makes_room_for_the_reports_of_today_and_the_coming_days() -> None:
    prepare()

    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reports_report'::regclass")
        partitions = {name for (name,) in cursor.fetchall()}
    assert partition_name(timezone.now().date()) in partitions
    assert len(partitions) >= DAYS_AHEAD + 1


def test_a_second_time_it_changes_nothing_and_tells_nothing() -> None:
    prepare()
    before = list(User.objects.values()), list(Group.objects.values())

    told = prepare()

    assert told == ""
    assert (list(User.objects.values()), list(Group.objects.values())) == before


def test_where_there_is_staff_it_makes_no_account() -> None:
    make_user(Role.ADMIN, username="jane", is_staff=True)

    told = prepare()

    assert told == ""
    assert User.objects.get().username == "jane"


def test_an_account_of_the_same_name_is_left_alone() -> None:
    theirs = make_user(Role.VIEWER, username="admin")

    told = prepare()

    assert told == ""
    assert list(User.objects.values()) == list(User.objects.filter(pk=theirs.pk).values())
