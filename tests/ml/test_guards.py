"""A number is a code only by what stands beside it: prices, crowds, houses and telephones have no guard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.guards import _PERHAPS_DIGIT, MAX_GUARD_CHARS, country_number, guard_of, guards_of, kinds_of, parts_of

PRICES = [
    "I paid 500 dollars and nothing works",
    "$503 gone from my card",
    "€ 500 abgebucht",
    "costs 429,00 € per month",
    "me cobraron 404 pesos",
    "Rs 503 deducted",
    "I was charged 500 not 50",
    "1.000.000 Rp lost",
    "500円取られた",
    "ho pagato 500 euro",
]
TIMES = [
    "down for 500 minutes",
    "waiting 410 seconds",
    "error for 20 minutes",
    "Fehler seit 24 Stunden",
    "ошибка 20 минут",
    "error at 10:45",
    "error 24/7",
    "it went down at 5:02",
    "error 12 times today",
    "support 24/7 is useless",
    "ping is 500 ms",
]
DATES = [
    "since 2024 nothing works",
    "error 2024",
    "1.5.2024 no power",
    "stromausfall 12.03.24",
    "2024-03-12 outage",
    "build 2024",
]
CROWDS = [
    "500 people affected here",
    "1000 people",
    "about 520 customers without power",
    "500+ users",
    "404 homes",
    "100 errors",
    "300 error messages a day",
    "500 000 people",
    "con 500 personas",
]
PLACES = [
    "my house at 404 Main Street has no power",
    "Hauptstraße 503",
    "Haus Nr. 503",
    "503 Elm St",
    "room 404",
    "apt 503, no heat",
    "highway 401 is closed",
    "zip code 90210",
    "area code 408 is out",
    "channel 502 is black",
]
NAMES = [
    "4G is down",
    "no 5G signal",
    "iPhone 15 crashes",
    "iPhone 15 Pro error",
    "ps5 is offline",
    "office 365 not working",
    "xbox 360 not working",
    "windows 11",
    "v8 engine",
    "covid-19",
    "f-150",
    "401k account missing",
    "ios 17.4",
    "12v 1.5a battery",
]
NUMBERS = [
    "call me at 555-404-1234",
    "(404) 555-1234",
    "tel 0664 500 1234",
    "+49 30 404 503",
    "my order 40412 has not arrived",
    "the code 123456 sent by sms",
    "code 1234 does not arrive",
    "mein code 4711",
    "promo code 500",
    "192.168.1.1 not reachable",
    "error 50% of the time",
    "500 mbps down to 5",
    "https://example.com/error/404",
    "@error404 help",
]


@pytest.mark.parametrize("text", [*PRICES, *TIMES, *DATES, *CROWDS, *PLACES, *NAMES, *NUMBERS])
def test_a_number_that_is_no_code_gives_no_guard(text: str) -> None:
    assert guard_of(text) == ""


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("Error 404!", "404"),
        ("404", "404"),
        ("404 page not found", "404"),
        ("is this a 404?", "404"),
        ("500 internal server error", "500"),
        ("HTTP/1.1 500", "500"),
        ("we get 429 when polling", "429"),
        ("login page returns 500", "500"),
        ("404s everywhere", "404"),
        ("error code: 401", "401"),
        ("error -1001", "1001"),
        ('error "500"', "500"),
        ("error code 1020 access denied", "1020"),
        ("Error 30088 (183)", "30088"),
        ("code 403.14", "403"),
        ("error E102", "e102"),
        ("E-1020", "e-1020"),
        ("update fails with 0x80070005", "0x80070005"),
        ("ORA-01017: logon denied", "ora-01017"),
        ("SSL_ERROR_42", "ssl_error_42"),
        ("net::ERR_CONNECTION_RESET", "err_connection_reset"),
        ("Netflix NW-2-5", "nw-2-5"),
        ("ps5 CE-108255-1 again", "ce-108255-1"),
    ],
)
def test_a_code_is_found_in_english(text: str, guard: str) -> None:
    assert guard_of(text) == guard


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("Fehler Nr. 404", "404"),
        ("Fehlercode: 500", "500"),
        ("500er-Fehler beim Login", "500"),
        ("code d'erreur 500", "500"),
        ("erreur n° 404", "404"),
        ("código de error 500", "500"),
        ("código 401", "401"),
        ("errore 404", "404"),
        ("erro 404", "404"),
        ("foutmelding 404", "404"),
        ("felkod 500", "500"),
        ("fejlkode 500", "500"),
        ("virhekoodi 500", "500"),
        ("kod błędu 500", "500"),
        ("kód chyby 500", "500"),
        ("hibakód 500", "500"),
        ("hata kodu 500", "500"),
        ("код ошибки 500", "500"),
        ("Ошибка №500", "500"),
        ("помилка 404", "404"),
        ("κωδικός σφάλματος 500", "500"),
        ("エラー404", "404"),
        ("エラーコード 500", "500"),
        ("错误代码500", "500"),
        ("一直显示404", "404"),
        ("오류코드500", "500"),
        ("رمز الخطأ ٥٠٠", "500"),
        ("שגיאה 404", "404"),
        ("त्रुटि ४०४", "404"),
        ("ข้อผิดพลาด404", "404"),
        ("mã lỗi 500", "500"),
        ("kode error 500", "500"),
        ("Error 500", "500"),
    ],
)
def test_a_code_is_found_in_other_languages(text: str, guard: str) -> None:
    assert guard_of(text) == guard


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("crashes since v4.2.1", "v4.2.1"),
        ("Version 17.5.1", "v17.5.1"),
        ("17.5.1 broke it", "v17.5.1"),
        ("versión 9.0.14", "v9.0.14"),
        ("версия 3.1", "v3.1"),
        ("バージョン3.1", "v3.1"),
        ("版本 3.1", "v3.1"),
        ("app 120.0.6099.71 hangs", "v120.0.6099.71"),
        ("build 22621", "v22621"),
    ],
)
def test_a_version_is_found(text: str, guard: str) -> None:
    assert guard_of(text) == guard


def test_gateway_statuses_are_one() -> None:
    assert {guard_of(text) for text in ("502 bad gateway", "Fehler 503", "HTTP 504", "ошибку 502")} == {"50x"}


def test_a_family_of_codes_names_none() -> None:
    assert {guard_of(text) for text in ("5xx errors", "error 4xx", "lots of 5xx")} == {""}


def test_a_code_goes_before_a_version() -> None:
    assert guard_of("error 404 since version 4.2.1") == "404"


@given(st.text(max_size=80) | st.from_regex(r"(error|code|http|v| |:|-|[0-9.]){1,30}", fullmatch=True))
def test_any_text_has_a_short_guard_that_does_not_depend_on_case(text: str) -> None:
    guard = guard_of(text)

    assert len(guard) <= MAX_GUARD_CHARS
    if text.isascii():
        assert guard_of(text.upper()) == guard


def test_kinds_tell_code_and_country_apart_and_nothing_else() -> None:
    kinds = kinds_of(["404", "404", "500", "", "404"], ["DE-BY", "de", "DE", "DE", ""])

    assert kinds[0] == kinds[1]
    assert len(set(kinds.tolist())) == 4


def test_parts_of_a_kind_are_those_it_was_made_of() -> None:
    kinds = kinds_of(["", "404", "404", ""], ["", "US-CA", "", "US"])

    guards, countries = parts_of(kinds)

    np.testing.assert_array_equal(guards > 0, [False, True, True, False])
    np.testing.assert_array_equal(countries, [0, country_number("US"), 0, country_number("US")])


def test_a_report_without_code_or_country_is_of_kind_0() -> None:
    assert kinds_of([""], [""]).tolist() == [0]


def test_no_two_countries_have_one_number() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    numbers = {country_number(one + other) for one in letters for other in letters}

    assert len(numbers) == 26 * 26
    assert 0 not in numbers


def test_a_region_that_is_no_country_has_no_number() -> None:
    assert [country_number(region) for region in ("", "D", "ÄÖ")] == [0, 0, 0]


def test_guards_of_many_texts_are_those_of_each() -> None:
    texts = [
        "error 404",
        "no power",
        "fehler ٥٠٢",
        "ERR_CONNECTION_RESET",
        "",
        "größer",
        "HTTP ５０３",
        *CROWDS,
        *DATES,
    ]

    assert guards_of(texts) == [guard_of(text) for text in texts]
    assert guards_of(texts)[:4] == ["404", "", "50x", "err_connection_reset"]


def test_no_digit_of_any_script_is_overlooked() -> None:
    assert [
        hex(point) for point in range(0x110000) if chr(point).isdigit() and not _PERHAPS_DIGIT.search(chr(point))
    ] == []
