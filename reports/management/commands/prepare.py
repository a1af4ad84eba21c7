"""`manage.py prepare`: what a database needs besides its tables before the first visitor. Twice is harmless."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone

from reports.enums import Role
from reports.intake.services import prepare_storage
from reports.models import Service

FIRST_STAFF = "admin"


class Command(BaseCommand):
    help = "Make partitions and roles; at the first start also an account (its password is printed once) and a service."

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_storage(now=timezone.now())
        for role in Role:
            Group.objects.get_or_create(name=role.value)
        users = get_user_model()
        if users.objects.filter(Q(is_staff=True) | Q(username=FIRST_STAFF)).exists():
            return
        password = secrets.token_urlsafe(12)
        user = users.objects.create_user(FIRST_STAFF, password=password, is_staff=True, is_superuser=True)
        user.groups.add(Group.objects.get(name=Role.ADMIN.value))
        if not Service.objects.exists():
            # So that the form works on the first visit; staff rename it or add their own.
            Service.objects.create(slug="example", name="Example", created_at=timezone.now())
        self.stdout.write(f"staff {FIRST_STAFF} {password}")
