"""Normalising removes what differs between two people with one problem, in every script; words survive splitting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import text as reading
from ml.text import _plain_words, _tokens_of_piece, normalise, plain_words, tokens


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("LOGIN Fails", "login fails"),
        ("  two\n\tlines ", "two lines"),
        ("ｅｒｒｏｒ　５０２", "error 502"),
        ("see https://example.com/a?b=1 now", "see now"),
        ("look pic.twitter.com/abc123", "look"),
        ("netflix.com is down", "netflix.com is down"),
        ("@Support #NoInternet", "nointernet"),
        ("sooooo slow", "soo slow"),
        ("error 502, code 0x80070005", "error 502, code 0x80070005"),
        ("order 123456789 late", "order late"),
        ("call +1 555 123 4567 back", "call back"),
        ("since 10:45 on 2024-03-01", "since on"),
        ("charged €12.50 twice", "charged twice"),
        ("a\u202eb\u200bc\x00", "abc"),
        ("STRASSE Straße", "strasse strasse"),
        ("", ""),
    ],
)
def test_normalise_brings_texts_into_a_comparable_form(typed: str, compared: str) -> None:
    assert normalise(typed) == compared


# What is looked for reaches over spaces ("$ 5", "12 345 67"), hangs on neighbours ("a@b") or on case and form.
ODD_WORDS = [
    "$",
    "5",
    "12",
    "345",
    "67890",
    "@",
    "@x",
    "#",
    "a@b",
    "SOOO",
    "o",
    "ß",
    "ς",
    "ﬁ",
    "\u0301",
    "e\u0301",
    "\u200d",
]
ODD_WORDS += [
    "www.x.y",
    "t.co/x",
    "10:45",
    "\u0660",
    "क्ष",
    "ไทย",
    "🔥",
    "½",
    "İ",
    "-",
    "'",
    "\x1f",
    "\u00a0",
    "\t",
    "down",
    "no",
]
ODD_TEXTS = st.lists(st.sampled_from(ODD_WORDS), max_size=8).flatmap(
    lambda words: st.sampled_from([" ", "  ", ""]).map(lambda gap: gap.join(words))
)


@given(before=st.lists(ODD_TEXTS, max_size=8), text=ODD_TEXTS)
def test_what_was_read_before_changes_no_text(before: list[str], text: str) -> None:
    _plain_words.clear()
    _tokens_of_piece.clear()
    fresh = normalise(text), tokens(text)
    for other in [*before, text]:
        normalise(other)
        tokens(other)

    assert (normalise(text), tokens(text)) == fresh


def test_words_are_plain_only_where_nothing_would_be_taken_out() -> None:
    _plain_words.clear()

    words = {"no", "power", "code", "404", "see", "https://example.com", "slooow", "@acme", "#down", "ﬁle", "café"}

    assert plain_words(words) == {"no", "power", "code", "see", "café"}
    assert plain_words(words) == {"no", "power", "code", "see", "café"}


@given(st.lists(ODD_TEXTS, max_size=8))
def test_plain_words_stay_whatever_stands_beside_them(texts: list[str]) -> None:
    _plain_words.clear()
    words = {word for text in texts if text.isprintable() for word in text.casefold().split()}

    together = " ".join(sorted(plain_words(words)))
    _plain_words.clear()

    assert normalise(together) == together


@given(st.text(st.characters(min_codepoint=0x80, categories=("L", "M")), max_size=6))
def test_letters_alone_are_split_as_beside_others(letters: str) -> None:
    piece = "".join(letters.split())

    assert tokens(piece) == tokens(f"{piece}!")


def test_too_many_words_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.text.MOST_WORDS", 3)

    for number in range(50):
        text = f"{'ab'[number % 2] * (number // 2 % 2 + 1)}{chr(97 + number % 26)}x"
        normalise(text)
        tokens(text)

    assert len(_plain_words) <= 4
    assert len(_tokens_of_piece) <= 4


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once


@given(st.text(max_size=200))
def test_tokens_hold_no_white_space_and_come_from_the_text(text: str) -> None:
    found = tokens(text)

    assert all(word and word in text and not word.isspace() for word in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("can't connect to wi-fi.", ["can't", "connect", "to", "wi-fi"]),
        ("version 2.4.1 crashed.Again", ["version", "2.4.1", "crashed", "Again"]),
        ("इंटरनेट बंद है", ["इंटरनेट", "बंद", "है"]),
        ("الإنترنت مقطوع", ["الإنترنت", "مقطوع"]),
        ("Нет света!", ["Нет", "света"]),
        ("断网", ["断网"]),
        ("接続不可", ["接続", "続不", "不可"]),
        ("LINEが落ちた", ["LINE", "が落", "落ち", "ちた"]),
        ("down 🔥🔥", ["down", "🔥", "🔥"]),
        ("?!…", []),
    ],
)
def test_tokens_are_the_words_of_every_script(text: str, words: list[str]) -> None:
    assert tokens(text) == words


def test_words_that_another_thread_forgets_meanwhile_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    split = reading._tokens_of

    def split_while_another_forgets(piece: str) -> tuple[str, ...]:
        reading._tokens_of_piece.clear()
        return split(piece)

    tokens("met before")
    monkeypatch.setattr(reading, "_tokens_of", split_while_another_forgets)

    assert tokens("met before, 'new' here") == ["met", "before", "new", "here"]


def test_no_more_pieces_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_WORDS", 10)

    found = tokens(" ".join(f"word{i}" for i in range(50)))

    assert len(found) == 50
    assert len(reading._tokens_of_piece) <= 10
