"""An empty database for a command that must never touch the live one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, connections
from django.utils.module_loading import import_string

from reports.clustering import arrays, encoding, quarantine, screening
from reports.detection import fleet, learning, ticks
from reports.intake import catalogue, fingerprints


@contextmanager
def scratch_database() -> Iterator[None]:
    """Point this process at an empty, migrated database, and remove it afterwards.

    Where DATABASE_URL is set it lies on that server, beside the live one; else a throw-away server is started.
    """
    with _address() as address:
        live = dict(connection.settings_dict)
        options = {name: value for name, value in live["OPTIONS"].items() if name != "pool"}
        _switch({**live, "OPTIONS": options, **address})
        try:
            call_command("migrate", verbosity=0, interactive=False)
            yield
        finally:
            _switch(live)


@contextmanager
def _address() -> Iterator[dict[str, Any]]:
    if not settings.DATABASE_URL:
        with import_string(settings.SCRATCH_DATABASE)() as server:
            yield {"NAME": server.dbname, "USER": server.user, "HOST": server.host, "PASSWORD": ""}
        return
    name = f"outcry_scratch_{os.getpid()}"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}"')
    except ProgrammingError as error:
        raise CommandError(
            f"No scratch database could be made beside the one of DATABASE_URL: {str(error).strip()}."
            " Give its user CREATEDB, or unset DATABASE_URL to play on a server of its own."
        ) from error
    try:
        yield {"NAME": name}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _switch(address: dict[str, Any]) -> None:
    connections.close_all()
    connection.settings_dict.clear()
    connection.settings_dict.update(address)
    catalogue.forget_services()
    fingerprints.forget_remembered_salts()
    arrays.forget_states()
    encoding.forget_students()
    screening.forget_screens()
    quarantine.forget_reviews()
    learning.forget_usual()
    ticks.forget_pasts()
    fleet.forget_fleet()
