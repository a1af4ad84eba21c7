"""Regions: the codes ISO knows, names a person reads, and the country of a public address."""

from __future__ import annotations

import pytest

from reports.intake.regions import (
    RegionChoice,
    countries,
    country_of_address,
    is_region,
    numeric_code,
    region_name,
    subdivisions,
)


@pytest.mark.parametrize("code", ["DE", "DE-BY", "US", "US-CA", "GB-SCT", "VE", "XK-", "de", "DEU", "DE-", "", "ZZ"])
def test_a_region_is_a_code_that_iso_knows_in_capitals(code: str) -> None:
    assert is_region(code) is (code in {"DE", "DE-BY", "US", "US-CA", "GB-SCT", "VE"})


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("", "not known"),
        ("DE", "Germany"),
        ("DE-BY", "Bayern, Germany"),
        ("US-CA", "California, United States"),
        ("VN", "Vietnam"),
        ("ZZ", "ZZ"),
        ("DE-XX", "DE-XX, Germany"),
    ],
)
def test_a_region_has_a_name_a_person_reads(code: str, name: str) -> None:
    assert region_name(code) == name


def test_all_countries_are_offered_by_name() -> None:
    offered = countries()

    assert len(offered) == 249  # ISO 3166-1
    assert [choice.name for choice in offered] == sorted(choice.name for choice in offered)
    assert RegionChoice("DE", "Germany") in offered


def test_a_countrys_subdivisions_are_its_own() -> None:
    offered = subdivisions("DE")

    assert len(offered) == 16
    assert all(choice.code.startswith("DE-") for choice in offered)


@pytest.mark.parametrize("country", ["", "ZZ", "D", "DE-BY", "AQ"])
def test_what_has_no_subdivisions_offers_none(country: str) -> None:
    assert subdivisions(country) == ()


@pytest.mark.parametrize(("country", "code"), [("DE", "276"), ("AF", "004"), ("", ""), ("ZZ", "")])
def test_maps_know_a_country_by_its_number(country: str, code: str) -> None:
    assert numeric_code(country) == code


@pytest.mark.parametrize(
    ("address", "country"), [("8.8.8.8", "US"), ("2001:4860:4860::8888", "US"), ("193.99.144.80", "DE")]
)
def test_a_public_address_has_a_country(address: str, country: str) -> None:
    assert country_of_address(address) == country


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fe80::1", "fe80::1%eth0", "203.0.113.9", "x", "1.2.3", "\x00"],
)
def test_an_address_of_no_place_has_none(address: str) -> None:
    assert country_of_address(address) == ""
