"""Region codes and their names: ISO 3166-1 ("DE") and ISO 3166-2 ("DE-BY"), offline.

"" is "not known", and the parent of every country. Holds no geometry: maps are the pages' affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

import pycountry
from django.conf import settings


@dataclass(frozen=True, slots=True)
class RegionChoice:
    """A region as a person picks it."""

    code: str
    name: str


@cache
def _names() -> dict[str, str]:
    countries = {
        country.alpha_2: getattr(country, "common_name", None) or country.name for country in pycountry.countries
    }
    return countries | {division.code: division.name for division in pycountry.subdivisions}


def is_region(code: str) -> bool:
    """Tell whether the code is a country or subdivision that ISO knows."""
    return code in _names()


def region_name(code: str) -> str:
    """Return a name a person reads: "Bavaria, Germany"; "not known" for "", the code itself where ISO has none."""
    if not code:
        return "not known"
    names = _names()
    own = names.get(code, code)
    country = code.partition("-")[0]
    return own if country == code else f"{own}, {names.get(country, country)}"


@cache
def countries() -> tuple[RegionChoice, ...]:
    """Return all countries by name."""
    choices = (RegionChoice(code, name) for code, name in _names().items() if "-" not in code)
    return tuple(sorted(choices, key=lambda choice: choice.name))


@cache
def subdivisions(country: str) -> tuple[RegionChoice, ...]:
    """Return a country's subdivisions by name; none for a code that is no country."""
    choices = (RegionChoice(code, name) for code, name in _names().items() if code.startswith(f"{country}-"))
    return tuple(sorted(choices, key=lambda choice: choice.name)) if country else ()


@cache
def numeric_code(country: str) -> str:
    """Return the ISO 3166-1 numeric code that maps use ("276" for "DE"), or "" where there is none."""
    found = pycountry.countries.get(alpha_2=country)
    return str(found.numeric) if found else ""


@cache
def _lookup():  # type: ignore[no-untyped-def]  # the library ships no types
    # Loaded on first use: 100 ms and a few megabytes that a worker never needs.
    from geoip2fast import GeoIP2Fast

    return GeoIP2Fast(geoip2fast_data_file=settings.COUNTRY_DATA)


def country_of_address(address: str) -> str:
    """Return the country a public network address belongs to, or "" where that is not known.

    The address is only looked at; nothing here keeps it.
    """
    try:
        if not ip_address(address).is_global:
            return ""
    except ValueError:
        return ""
    code = str(_lookup().lookup(address).country_code or "")
    return code if is_region(code) else ""
