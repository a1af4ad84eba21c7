"""Which services exist, as the intake needs to know it a thousand times a second.

A service that staff have just made is found at once; one just switched off may still take reports for
`REMEMBER_SECONDS` (`remembered`).
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.intake.remembered import TableCopy
from reports.models import Service


@dataclass(frozen=True, slots=True)
class KnownService:
    id: int
    slug: str
    name: str


def find_service(word: str, *, ask: bool = True) -> KnownService | None:
    """Return the active service with this slug or name, in any case; None where there is none.

    With `ask=False` no query is made, and what is not remembered is not found.
    """
    key = word.casefold()
    return table.find(key) if ask else table.recall(key)


def find_numbered(number: int) -> KnownService | None:
    """Return the active service with this number; None where there is none."""
    return table.find(_by_number(number))


def known_slugs(limit: int = 10) -> list[str]:
    """Return some slugs for a message that says what would have been right."""
    return sorted({service.slug for service in table.rows.values()})[:limit]


def age_seconds() -> float:
    """Return how long ago the table was read."""
    return table.age_seconds()


def read_again() -> None:
    """Read the table now, so that nobody has to wait for it when it would have been due. Queries: one."""
    table.read_again()


def forget_services() -> None:
    """Make the next look-up read the table."""
    table.forget()


def _by_number(number: int) -> str:
    """Return a word no slug or name can be, for no text that is stored holds this character."""
    return f"\x00{number}"


def _read() -> dict[str, KnownService]:
    found: dict[str, KnownService] = {}
    for service in Service.objects.active().only("id", "slug", "name"):
        known = KnownService(service.pk, service.slug, service.name)
        found[service.name.casefold()] = known
        found[service.slug.casefold()] = known
        found[_by_number(service.pk)] = known
    return found


table = TableCopy(_read)
