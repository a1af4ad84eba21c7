"""Where a report belongs: the service it is about.

Regions are no table: they are ISO 3166-1 and -2 codes, and ISO is their table (`intake/regions.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

MAX_HOLIDAYS = 400
ZERO = timedelta()
SLUG = RegexValidator(r"^[a-z0-9][a-z0-9._-]{0,62}$", "Use 1 to 63 of a-z, 0-9, dot, dash and underscore.")


class ServiceQuerySet(models.QuerySet["Service"]):
    def active(self) -> ServiceQuerySet:
        """Return the services that take reports, in the order staff gave them."""
        return self.filter(is_active=True).order_by("position", "name")

    def public(self) -> ServiceQuerySet:
        """Return the services the public page shows."""
        return self.active().filter(is_public=True)


class Service(models.Model):
    """Something users depend on and report about. Reports name it by slug or by name, in any case.

    `time_zone` (IANA; empty: the installation's) and `holidays` are those its users live by: what is usual follows
    their clocks, and a holiday is like a Sunday.
    """

    slug = models.CharField(max_length=63, unique=True, validators=[SLUG])
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    is_public = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    holidays = ArrayField(models.DateField(), size=MAX_HOLIDAYS, blank=True, default=list, db_default=[])
    created_at = models.DateTimeField()

    objects = ServiceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="service_names_are_unique_in_any_case")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone its users live in."""
        return ZoneInfo(self.time_zone or settings.SERVICE_TIME_ZONE)

    def local_hours(self, moments: Iterable[datetime]) -> list[tuple[int, bool]]:
        """Return how many minutes local time is ahead of UTC at each moment, and whether its local day is a holiday."""
        zone, holidays = self.zone, frozenset[date](self.holidays)
        there = [moment.astimezone(zone) for moment in moments]
        return [(round((one.utcoffset() or ZERO).total_seconds() / 60), one.date() in holidays) for one in there]
