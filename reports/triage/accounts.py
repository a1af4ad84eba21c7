"""Who is staff, in which role, and whose session a cookie is.

A role is the membership in the group of its name; of several the highest counts, and a superuser is an admin. Accounts
themselves are Django's, and are made in its admin.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

from reports.enums import Role
from reports.errors import NotFound


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff, as pages and services see one."""

    user_id: int
    username: str
    role: Role


def role_of(user: User | AnonymousUser) -> Role | None:
    """Return a user's highest role; None for strangers, inactive accounts and those without a role. Queries: one."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    names = set(user.groups.values_list("name", flat=True))
    return max((role for role in Role if role.value in names), key=list(Role).index, default=None)


def staff_of(user: User | AnonymousUser) -> Staff | None:
    """Return the user as staff, or None where they have no role. Queries: one."""
    role = role_of(user)
    return Staff(user.pk, user.get_username(), role) if role is not None and user.pk is not None else None


def account_role(*, user_id: int) -> Role | None:
    """Return the role of an account; None where there is no such account. Queries: two."""
    user = get_user_model().objects.filter(pk=user_id).first()
    return role_of(user) if user is not None else None


def find_staff(*, user_id: int) -> Staff:
    """Return a member of staff.

    Queries: two. Raises NotFound where there is no such account, or it has no role.
    """
    user = get_user_model().objects.filter(pk=user_id).first()
    staff = staff_of(user) if user is not None else None
    if staff is None:
        raise NotFound(f"Account {user_id} is not staff, or no longer. Choose somebody who has a role.")
    return staff


def responders() -> tuple[Staff, ...]:
    """Return whom an outage can be assigned to, by name. Queries: two."""
    users = get_user_model().objects.filter(is_active=True).prefetch_related("groups").order_by("username")
    found = []
    for user in users:
        names = {group.name for group in user.groups.all()}
        if user.is_superuser or Role.ADMIN.value in names:
            found.append(Staff(user.pk, user.get_username(), Role.ADMIN))
        elif Role.RESPONDER.value in names:
            found.append(Staff(user.pk, user.get_username(), Role.RESPONDER))
    return tuple(found)


def staff_of_session(*, session_key: str) -> Staff | None:
    """Return whose valid session this is, for faces that have no Django request. Queries: three."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        user = get_user_model().objects.filter(pk=session[SESSION_KEY]).first()
    except (KeyError, ValueError, ValidationError):
        return None
    # As Django's own middleware: a changed password ends every session that was opened with the old one.
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    return staff_of(user)
