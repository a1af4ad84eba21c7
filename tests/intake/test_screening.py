"""Screening: what must not be stored leaves a mark, what tells the problem stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.intake import screening
from reports.intake.screening import scrub

QUICK = settings(max_examples=200, deadline=None)
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011000990139424", "2223003122003222"]
JSON_WEB_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

words = st.text("abcxyz ÄéالЖ.,!?():", max_size=30)
emails = st.builds(
    "{}@{}.{}".format,
    st.from_regex(r"[a-z][a-z0-9._+-]{0,15}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,10}(\.[a-z]{2,6})?", fullmatch=True),
    st.sampled_from(["com", "de", "co.uk", "museum"]),
)
cards = st.builds(
    lambda number, between: between.join(number[start : start + 4] for start in range(0, len(number), 4)),
    st.sampled_from(CARDS),
    st.sampled_from(["", " ", "-"]),
)
# What the patterns are made of, so that chance puts marks, boundaries and halves of secrets side by side.
pieces = st.lists(
    st.sampled_from([
        "+49 170 1234567", "(030)1234567", "030 123456", "555-123-4567", "a@b.co", ".@d.de", "password", " is ", "=",
        "token: ", "Bearer ", "basic", "://", "u:p", "@", "sk_live_abcdefghij", "AKIA", "ABCDEFGHIJKLMNOP", "4111",
        " 1111", "1111-", "DE89370400440532013000", " ", "-", ".", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6", "[", "]", "\"",
        "x", "0", "[email]", "secret", "eyJaaaaa.bbbbb",
    ]),
    max_size=10,
).map("".join)  # fmt: skip


@QUICK
@given(text=pieces | st.text(max_size=80))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrub(text)

    assert scrub(once) == once


def scrub_with_every_pattern(text: str) -> str:
    """What `scrub` says, found without asking first what a text can hold at all."""
    before = None
    while text != before:
        before = text
        text = screening._KNOWN_TOKENS.sub("[secret]", text)
        text = screening._BEARER.sub(screening._hide_bearer, text)
        text = screening._ASSIGNED_SECRET.sub(screening._hide_assigned, text)
        text = screening._URL_CREDENTIALS.sub("[secret]", text)
        text = screening._EMAIL.sub("[email]", text)
        text = screening._LONG_TOKEN.sub(screening._hide_long_token, text)
        text = screening._IBAN.sub(screening._hide_iban, text)
        text = screening._CARD.sub(screening._hide_card, text)
        text = screening._PHONE.sub("[phone]", text)
    return text


patterns = st.one_of(
    *(
        st.from_regex(getattr(screening, name))
        for name in ("_KNOWN_TOKENS", "_BEARER", "_ASSIGNED_SECRET", "_EMAIL", "_IBAN", "_CARD", "_PHONE")
    )
)


@settings(max_examples=1_500, deadline=None)
@given(text=pieces | patterns | st.text(max_size=80))
def test_asking_first_what_a_text_can_hold_changes_nothing(text: str) -> None:
    assert scrub(text) == scrub_with_every_pattern(text)


@pytest.mark.parametrize(
    "name", ["pa\u017f\u017fword", "\u017fecret", "to\u212aen", "ap\u0131 key", "ap\u0130-key", "CONTRASEÑA"]
)
def test_a_name_of_a_secret_is_seen_in_every_spelling_that_ignores_case(name: str) -> None:
    text = f"{name}: hunter2"

    assert scrub(text) == scrub_with_every_pattern(text)


# What people paste beside a secret: no letter, digit or sign that would be a part of it.
beside = st.text("abc xyz.,!?() ÄéЖ", max_size=20).map(lambda text: f"{text} ")
phones = st.builds(
    lambda prefix, between, groups: prefix + between + between.join(groups),
    st.sampled_from(["+49", "0044", "+1", "030", "(030)"]),
    st.sampled_from([" ", "-", "/", "."]),
    st.lists(st.from_regex(r"[1-9][0-9]{2}", fullmatch=True), min_size=2, max_size=3),  # none has more digits
)
tokens = st.one_of(
    st.from_regex(r"[a-f]{4}[0-9]{4}[0-9a-f]{24,56}", fullmatch=True),
    st.from_regex(r"gh[ps]_[A-Za-z0-9]{20,40}", fullmatch=True),
    st.from_regex(r"sk_live_[A-Za-z0-9]{10,30}", fullmatch=True),
    st.from_regex(r"AKIA[A-Z0-9]{16}", fullmatch=True),
    st.from_regex(r"eyJ[A-Za-z0-9]{8,20}\.[A-Za-z0-9]{8,20}\.[A-Za-z0-9]{8,20}", fullmatch=True),
)
secrets = st.from_regex(r"[a-z]{2,8}[0-9!$%]{1,4}[A-Za-z0-9!$%]{2,8}", fullmatch=True)
names_of_secrets = st.sampled_from(["password", "Passwort", "pwd", "SECRET", "token", "api_key", "contraseña", "senha"])


def iban_of(country: str, account: str) -> str:
    """Return the account with the check digits that ISO 13616 asks for."""
    digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{account}"


ibans = st.builds(
    lambda country, account, between: between.join(
        iban_of(country, account)[start : start + 4] for start in range(0, len(account) + 4, 4)
    ),
    st.sampled_from(["DE", "FR", "GB", "NL"]),
    st.from_regex(r"[0-9]{18}", fullmatch=True),
    st.sampled_from(["", " "]),
)


@QUICK
@given(before=beside, phone=phones, after=beside)
def test_no_phone_number_is_left(before: str, phone: str, after: str) -> None:
    assert phone not in scrub(f"{before}{phone} {after}")


@QUICK
@given(before=beside, iban=ibans, after=beside)
def test_no_account_number_is_left(before: str, iban: str, after: str) -> None:
    assert iban not in scrub(f"{before}{iban} {after}")


@QUICK
@given(before=beside, token=tokens, after=beside)
def test_no_token_is_left(before: str, token: str, after: str) -> None:
    assert token not in scrub(f"{before}{token} {after}")


@QUICK
@given(before=beside, name=names_of_secrets, between=st.sampled_from(["=", ": ", " = ", " is "]), secret=secrets)
def test_no_secret_is_left_beside_its_name(before: str, name: str, between: str, secret: str) -> None:
    assert secret not in scrub(f"{before}{name}{between}{secret} ")


@QUICK
@given(secret=emails | cards | ibans | tokens, around=st.lists(beside, min_size=2, max_size=2))
def test_what_stands_around_a_secret_stays(secret: str, around: list[str]) -> None:
    scrubbed = scrub(f"{around[0]}{secret} {around[1]}")

    assert scrubbed.startswith(around[0])
    assert scrubbed.endswith(around[1])


@QUICK
@given(before=words, email=emails, after=words)
def test_no_email_address_is_left(before: str, email: str, after: str) -> None:
    assert email not in scrub(f"{before} {email} {after}")


@QUICK
@given(before=words, card=cards, after=st.sampled_from(["", " 12/27", " 12 27 123", " 737", ".", ", help", " please"]))
def test_no_card_number_is_left_whatever_stands_beside_it(before: str, card: str, after: str) -> None:
    scrubbed = scrub(f"{before} {card}{after}")

    assert card not in scrubbed
    assert "[card]" in scrubbed


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("write to jane.doe+x@mail.example.org!", "write to [email]!"),
        ("jürgen@müller.de", "[email]"),
        ("call +49 170 1234567 now", "call [phone] now"),
        ("call 0049-170-1234567", "call [phone]"),
        ("tel (030) 1234567.", "tel [phone]."),
        ("tel 030/1234567", "tel [phone]"),
        ("555-123-4567", "[phone]"),
        ("07911123456", "[phone]"),
        ("card 4111 1111 1111 1111 declined", "card [card] declined"),
        ("3782-822463-10005", "[card]"),
        ("iban DE89 3704 0044 0532 0130 00 fails", "iban [account] fails"),
        ("my password is hunter2", "my password is [secret]"),
        ("passwort: geheim", "passwort: [secret]"),
        ('pwd="two words"', "pwd=[secret]"),
        ("contraseña: abc123", "contraseña: [secret]"),
        ("?token=abc&x=1", "?token=[secret]&x=1"),
        ("api_key = abc", "api_key = [secret]"),
        ("password: [hunter2", "password: [secret]"),
        ("Authorization: Bearer abcDEF123456_x", "Authorization: Bearer [secret]"),
        ("basic dXNlcjpwYXNzd29yZA==", "basic [secret]"),
        ("https://ada:lovelace1@example.org/x", "https://[secret]@example.org/x"),
        (f"got {JSON_WEB_TOKEN}", "got [secret]"),
        ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
        ("sk_live_4eC39HqLyjWDarjtT1", "[secret]"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[secret]"),
        ("xoxb-123456789012-abcdef", "[secret]"),
        ("outcry_AbCdEfGh_0123456789abcdef", "[secret]"),
        ("id 123e4567-e89b-12d3-a456-426614174000 x", "id [secret] x"),
        ("/reset/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "/reset/[secret]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- ok", "[secret] ok"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "[secret]"),
        ("+49 170 1234567(030)7654321", "[phone][phone]"),
        ("2 4111 1111 1111 1111 12/27 123", "2 [card] 12/27 123"),
    ],
)
def test_what_must_not_be_stored_leaves_a_mark(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "can't log in since 10:30",
        "error 0x80070005 on build 19045.3803",
        "HTTP 503 from 192.168.10.254 at 2026-03-04 12:00:00",
        "order 1234567890123456 is lost",
        "paid 4111 1111 1111 1112 points",
        "invoice 2026-000123, 1.234.567,89 EUR",
        "my password is wrong",
        "the token is invalid!",
        "even basic functionality is gone, BASIC CONNECTIVITY too",
        "DE12 3456 7890 1234 5678 91 is no account",
        "4444 4444 4444 4444",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "https://example.org/help/how-to-reset-your-account-and-get-back-in-2026",
        "@support please, since 3 pm",
        "لا أستطيع تسجيل الدخول ٥٠٣",
    ],
)
def test_what_tells_the_problem_stays(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a@", "a@b-", "1 ", "4111 ", "+1", "0 1", "password ", "eyJaaaaa.", "://u:", "a1-", "AB12 "]
)
def test_a_text_made_to_be_slow_is_scrubbed_all_the_same(piece: str) -> None:
    text = piece * (4_000 // len(piece))

    assert len(scrub(text)) <= 2 * len(text)
