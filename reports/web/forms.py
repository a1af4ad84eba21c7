"""The report form: what was typed, what of it becomes a report, and what is wrong beside which field.

Limits and rules are the contract's (`intake/contract.py`); here they only get the words of a form. Typed values are
kept as they are, so that a page that comes back shows what its reporter wrote.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.http import QueryDict

from reports.errors import FieldError, InvalidReport
from reports.intake.abuse import FormSigns, form_mark, rendered_at
from reports.intake.contract import from_mapping, normalise
from reports.intake.regions import RegionChoice, countries, is_region, subdivisions
from reports.intake.selectors import ServiceChoice, SymptomChoice

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")

# The form's own words where the contract speaks to programmers.
CHOOSE_A_SERVICE: Final = "Choose the service that has a problem."
UNKNOWN_SERVICE: Final = "This service isn't in the list any more. Choose one from the list."
SAY_SOMETHING: Final = "Pick what you see, or say in a few words what is wrong."
UNKNOWN_SYMPTOM: Final = "This isn't one of the choices. Pick one of them, or none."
UNKNOWN_REGION: Final = "This region isn't in the list. Choose one from the list, or “I'd rather not say”."

# Which element an error of a field belongs to, in the order of the page.
_ANCHORS: Final[Mapping[str, str]] = {
    "service": "id_service",
    "symptom": "id_symptom",
    "text": "id_text",
    "region": "id_country",
    "contact": "id_contact",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form's fields. `nonce` names this rendering of the form: sent twice it is one report.

    `mark` says when that was, `trap` is a field that people don't see, `proof` the work a browser was asked for.
    """

    service: str = ""
    symptom: str = ""
    text: str = ""
    country: str = ""
    subdivision: str = ""
    contact: str = ""
    nonce: str = ""
    mark: str = ""
    trap: str = ""
    proof: str = ""

    @property
    def region(self) -> str:
        """The region that was chosen; a subdivision left over from another country doesn't count."""
        if not self.country or not self.subdivision:
            return self.country
        is_left_over = is_region(self.subdivision) and not self.subdivision.startswith(f"{self.country}-")
        return self.country if is_left_over else self.subdivision

    @property
    def idempotency_key(self) -> str:
        """A key for this rendering with this content: sent twice it is one report, after a change another."""
        content = "\x00".join((self.service, self.symptom, self.text, self.region, self.contact))
        return f"{self.nonce}.{hashlib.sha256(content.encode(errors='surrogatepass')).hexdigest()[:32]}"

    @property
    def signs(self) -> FormSigns:
        """What the form gives away beside its report."""
        return FormSigns(nonce=self.nonce, mark=self.mark, trap=self.trap, proof=self.proof)

    def fields(self) -> dict[str, str]:
        """Return the fields of a report."""
        return {
            "service": self.service,
            "symptom": self.symptom,
            "text": self.text,
            "region": self.region,
            "contact": self.contact,
        }


@dataclass(frozen=True, slots=True)
class FormError:
    """One thing wrong, and the element it belongs to ("" for the whole form)."""

    field: str
    anchor: str
    message: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """Everything the form's template needs."""

    typed: Typed
    services: tuple[ServiceChoice, ...]
    symptoms: tuple[SymptomChoice, ...]
    countries: tuple[RegionChoice, ...]
    subdivisions: tuple[RegionChoice, ...]
    errors: tuple[FormError, ...]
    by_field: Mapping[str, FormError]
    max_text_chars: int
    is_linked: bool
    trouble: str

    @property
    def chosen(self) -> ServiceChoice | None:
        """The service that is chosen, if it is one."""
        return find_choice(self.services, self.typed.service)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def read_typed(given: QueryDict, *, default_country: str) -> Typed:
    """Return what was typed; a country that was not asked yet is guessed.

    A form that comes back keeps its mark, so that who mends an error at once is not taken for a machine.
    """
    nonce = given.get("nonce", "")
    nonce = nonce if _NONCE.match(nonce) else new_nonce()
    mark = given.get("mark", "")
    return Typed(
        service=given.get("service", ""),
        symptom=given.get("symptom", ""),
        # Browsers send every line break as two characters; a reporter counts one.
        text=given.get("text", "").replace("\r\n", "\n"),
        country=given.get("country", default_country),
        subdivision=given.get("subdivision", ""),
        contact=given.get("contact", ""),
        nonce=nonce,
        mark=mark,
        trap=given.get("reference", ""),
        proof=given.get("altcha", ""),
    )


def new_form(*, now: datetime) -> Typed:
    """Return an empty form: its name, and the mark of when it was made."""
    nonce = new_nonce()
    return Typed(nonce=nonce, mark=form_mark(nonce, now=now))


def find_choice(services: Iterable[ServiceChoice], slug: str) -> ServiceChoice | None:
    """Return the service with this slug among those the public may choose."""
    return next((service for service in services if service.slug == slug), None)


def check(typed: Typed, services: Iterable[ServiceChoice], *, now: datetime) -> None:
    """Raise InvalidReport with everything that is wrong, also what only a form can get wrong: a service not offered."""
    message = "" if find_choice(services, typed.service) else UNKNOWN_SERVICE if typed.service else CHOOSE_A_SERVICE
    try:
        normalise(from_mapping(typed.fields()), now=now)
    except InvalidReport as invalid:
        if not message:
            raise
        others = [error for error in invalid.errors if error.field != "service"]
        raise InvalidReport([FieldError("service", message), *others]) from invalid
    if message:
        raise InvalidReport([FieldError("service", message)])


def in_form_words(error: FieldError, typed: Typed) -> FormError:
    """Return a contract's error as the form says it."""
    message = error.message
    if error.field == "text":
        # The contract speaks of a field that a program has named; in the list above the form nothing names it.
        message = f"What you wrote {message[:1].lower()}{message[1:]}" if typed.text.strip() else SAY_SOMETHING
    elif error.field == "service" and typed.service:
        message = UNKNOWN_SERVICE  # intake would name the ones it knows, also those the public should not see
    elif error.field == "symptom":
        message = UNKNOWN_SYMPTOM
    elif error.field == "region":
        message = UNKNOWN_REGION
    return FormError(error.field, _ANCHORS.get(error.field, ""), message)


def form_page(
    typed: Typed,
    *,
    services: tuple[ServiceChoice, ...],
    symptoms: tuple[SymptomChoice, ...],
    max_text_chars: int,
    now: datetime,
    errors: Iterable[FieldError] = (),
    is_linked: bool = False,
    trouble: str = "",
) -> FormPage:
    """Return the page, its errors in the order of the fields and the first one of each beside it."""
    order = list(_ANCHORS)
    told = sorted(
        (in_form_words(error, typed) for error in errors),
        key=lambda error: order.index(error.field) if error.field in order else -1,
    )
    by_field: dict[str, FormError] = {}
    for error in told:
        by_field.setdefault(error.field, error)
    if rendered_at(typed.nonce, typed.mark) is None:
        typed = replace(typed, mark=form_mark(typed.nonce, now=now))
    if len(services) == 1 and not typed.service:
        typed = replace(typed, service=services[0].slug)
    return FormPage(
        typed=typed,
        services=services,
        symptoms=symptoms,
        countries=countries(),
        subdivisions=subdivisions(typed.country) if is_region(typed.country) else (),
        errors=tuple(told),
        by_field=by_field,
        max_text_chars=max_text_chars,
        is_linked=is_linked,
        trouble=trouble,
    )
