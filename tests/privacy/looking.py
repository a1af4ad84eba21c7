"""Looking through the whole database for something that must not be there."""

from __future__ import annotations

from django.db import connection


def tables_that_hold(needle: str) -> set[str]:
    """Return the tables with the needle in any column of any row: as text, or its bytes; in hexadecimal as they are."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT EXISTS (SELECT 1 FROM "{table}" AS r WHERE r::text ILIKE ANY(%s))',  # noqa: S608  # own names
                [[f"%{needle}%", f"%{needle.encode().hex()}%"]],
            )
            if cursor.fetchone()[0]:
                found.add(table)
    return found
