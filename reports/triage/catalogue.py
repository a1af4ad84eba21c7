"""The services that staff look after: made, changed, switched off. Nothing is deleted, for reports name it.

Every wrong field is told at once, beside its field. Who may do so is asked here where a person acts; the face of an
integration asks for its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from reports.enums import Role
from reports.errors import FieldError, InvalidInput, NotAllowed, NotFound
from reports.intake.catalogue import forget_services
from reports.intake.contract import without_forbidden
from reports.models import Service, places
from reports.models.places import SLUG
from reports.triage.accounts import account_role
from reports.triage.transitions import includes

MAX_SLUG_CHARS = 63
MAX_NAME_CHARS = 100
MAX_DESCRIPTION_CHARS = 300
MAX_POSITION = 1_000_000
MAX_HOLIDAYS = places.MAX_HOLIDAYS


class InvalidService(InvalidInput):
    """The service can't be kept like this: mend the named fields."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as staff see it."""

    id: int
    slug: str
    name: str
    description: str
    is_active: bool
    is_public: bool
    position: int
    created_at: datetime
    time_zone: str = ""
    holidays: tuple[date, ...] = ()


def create_service(
    *,
    slug: str,
    name: str,
    description: str = "",
    is_active: bool = True,
    is_public: bool = True,
    position: int | None = None,
    time_zone: str = "",
    holidays: Sequence[date] = (),
    actor_id: int | None = None,
    now: datetime,
) -> ServiceRow:
    """Make a service; without a position it stands last. `actor_id` None: an integration, whose scope its face checks.

    Raises NotAllowed, InvalidService.
    """
    _check_admin(actor_id)
    if position is None:
        last = Service.objects.order_by("-position").values_list("position", flat=True).first()
        position = min(last + 1, MAX_POSITION) if last is not None else 0
    service = Service(
        slug=slug, name=name, description=description, is_active=is_active, is_public=is_public, position=position,
        time_zone=time_zone, holidays=list(holidays), created_at=now,
    )  # fmt: skip
    return _save(service)


def edit_service(
    *,
    service_id: int,
    slug: str,
    name: str,
    description: str,
    is_active: bool,
    is_public: bool,
    position: int,
    time_zone: str = "",
    holidays: Sequence[date] = (),
    actor_id: int | None = None,
) -> ServiceRow:
    """Change a service. One that is switched off takes no reports and shows on no page; what was reported stays.

    With another time zone its week is learnt anew, at the next full hour.

    Raises NotAllowed, NotFound, InvalidService.
    """
    _check_admin(actor_id)
    service = _find(service_id)
    service.slug, service.name, service.description = slug, name, description
    service.is_active, service.is_public, service.position = is_active, is_public, position
    service.time_zone, service.holidays = time_zone, list(holidays)
    return _save(service)


def managed_services() -> tuple[ServiceRow, ...]:
    """Return all services in the order staff gave them, those that are switched off last. Queries: one."""
    return tuple(_row(service) for service in Service.objects.order_by("-is_active", "position", "name"))


def managed_service(*, service_id: int) -> ServiceRow:
    """Return one service.

    Queries: one. Raises NotFound.
    """
    return _row(_find(service_id))


def _find(service_id: int) -> Service:
    service = Service.objects.filter(pk=service_id).first()
    if service is None:
        raise NotFound(f"There is no service {service_id}.")
    return service


def _check_admin(actor_id: int | None) -> None:
    if actor_id is not None and not includes(role := account_role(user_id=actor_id), Role.ADMIN):
        yours = f"Your role is {role.value}" if role else "You have no role"
        raise NotAllowed(f"{yours}; services are managed by an admin. Ask one.")


def _save(service: Service) -> ServiceRow:
    service.slug = service.slug.strip().lower()
    service.name = " ".join(service.name.split())
    service.description = " ".join(service.description.split())
    service.time_zone = service.time_zone.strip()
    service.holidays = sorted(set(service.holidays))
    if errors := _errors(service):
        raise InvalidService(errors)
    try:
        with transaction.atomic():
            service.save()
    except IntegrityError as error:  # another one took the slug or the name since we looked
        raise InvalidService(_taken(service) or [FieldError("slug", "Is taken. Choose another one.")]) from error
    forget_services()
    return _row(service)


def _errors(service: Service) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, value, most in (
        ("name", service.name, MAX_NAME_CHARS),
        ("description", service.description, MAX_DESCRIPTION_CHARS),
    ):
        if len(value) > most:
            errors.append(FieldError(field, f"Has {len(value)} characters; at most {most} fit. Shorten it."))
        elif without_forbidden(value) != value:
            errors.append(FieldError(field, "Holds a control character. Remove it, or type the text anew."))
    if not service.name:
        errors.append(FieldError("name", "Is missing. Write the name your users know."))
    if not _is_slug(service.slug):
        errors.append(
            FieldError(
                "slug", f"Use 1 to {MAX_SLUG_CHARS} of a-z, 0-9, dot, dash and underscore, first a letter or digit."
            )
        )
    if not 0 <= service.position <= MAX_POSITION:
        errors.append(FieldError("position", f"Write a whole number from 0 to {MAX_POSITION:,}."))
    if not _is_zone(service.time_zone):
        errors.append(FieldError("time_zone", "Is not known. Write one such as Europe/Berlin, or leave it empty."))
    if len(service.holidays) > MAX_HOLIDAYS:
        errors.append(FieldError("holidays", f"Are {len(service.holidays)} days; at most {MAX_HOLIDAYS} fit."))
    return errors or _taken(service)


def _is_slug(word: str) -> bool:
    try:
        SLUG(word)
    except ValidationError:
        return False
    return "\n" not in word  # a `$` would let one pass


def _is_zone(name: str) -> bool:
    try:
        return not name or bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last of a name that is a folder, or too long for one
        return False


def _taken(service: Service) -> list[FieldError]:
    others = Service.objects.exclude(pk=service.pk)
    errors: list[FieldError] = []
    # A report names its service by slug or by name in any case, so one service's name must not be another one's slug.
    for field, value in (("slug", service.slug), ("name", service.name)):
        clash = others.filter(slug__iexact=value).first() or others.filter(name__iexact=value).first()
        if clash is not None:
            errors.append(FieldError(field, f"{value!r} already means the service {clash.name} ({clash.slug})."))
    return errors


def _row(service: Service) -> ServiceRow:
    return ServiceRow(
        id=service.pk,
        slug=service.slug,
        name=service.name,
        description=service.description,
        is_active=service.is_active,
        is_public=service.is_public,
        position=service.position,
        created_at=service.created_at,
        time_zone=service.time_zone,
        holidays=tuple(service.holidays),
    )
