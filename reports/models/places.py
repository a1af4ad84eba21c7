"""Where a report belongs: the service it is about.

Regions are no table: they are ISO 3166-1 and -2 codes, and ISO is their table (`intake/regions.py`).
"""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

SLUG = RegexValidator(r"^[a-z0-9][a-z0-9._-]{0,62}$", "Use 1 to 63 of a-z, 0-9, dot, dash and underscore.")


class ServiceQuerySet(models.QuerySet["Service"]):
    def active(self) -> ServiceQuerySet:
        """Return the services that take reports, in the order staff gave them."""
        return self.filter(is_active=True).order_by("position", "name")

    def public(self) -> ServiceQuerySet:
        """Return the services the public page shows."""
        return self.active().filter(is_public=True)


class Service(models.Model):
    """Something users depend on and report about. Reports name it by slug or by name, in any case."""

    slug = models.CharField(max_length=63, unique=True, validators=[SLUG])
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    is_public = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    objects = ServiceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="service_names_are_unique_in_any_case")]

    def __str__(self) -> str:
        return self.name
