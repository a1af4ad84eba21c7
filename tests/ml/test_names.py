"""Which words of a stream are names of products, and which only look like it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ml import names
from ml.guards import guard_of
from ml.names import NameTally, add_texts, learns_at, learnt_names, named_in

CHATTER = [f"The page is broken for customer {letter}{digit}" for letter in "abcdefgh" for digit in range(10)]
SAYINGS = [
    "I can't pay with {} at the shop",
    "Since the update my {} is refused",
    "The till says no to my {} every time",
    "Why does using {} fail every morning",
    "It is impossible to use {} on this phone",
    "Nothing happens when I choose {} there",
]
APPLE_AND_GOOGLE = frozenset(("apple", "apple pay", "google pay"))


def saying(*products: str, n: int = len(SAYINGS)) -> list[str]:
    return [said.format(product) for product in products for said in SAYINGS[:n]]


def names_in(texts: Iterable[str]) -> frozenset[str]:
    return learnt_names(add_texts(NameTally(), [*texts, *CHATTER]))


def test_words_and_pairs_that_writers_capitalise_in_mid_sentence_are_names() -> None:
    found = names_in(saying("PayPal", "Apple Pay", "iPhone"))

    assert found == {"paypal", "apple pay", "iphone"}


def test_a_name_needs_five_texts_that_capitalise_it() -> None:
    assert names_in(saying("Visa", "PayPal", n=4)) == frozenset()
    assert names_in(saying("Visa", "PayPal", n=5)) == {"visa", "paypal"}


def test_a_single_name_has_nothing_to_be_kept_apart_from() -> None:
    assert names_in(saying("Visa")) == frozenset()


def test_a_word_that_is_mostly_written_small_is_no_name() -> None:
    texts = saying("Visa", "PayPal", "Wallet") + saying("wallet")

    assert names_in(texts) == {"visa", "paypal"}


def test_what_more_than_a_fifth_of_all_texts_name_sets_nothing_apart() -> None:
    everybody = [f"Today my Spotify stops playing song {letter}x" for letter in "abcdefghijklmnopqrstuvwxyzäöüßé"]

    assert names_in([*saying("Visa", "PayPal"), *everybody]) == {"visa", "paypal"}


@pytest.mark.parametrize(
    "texts",
    [
        [
            f"I hear this from Houston users {rest}"
            for rest in ("again", "now", "today", "daily", "at last", "too late")
        ],
        [f"Thanks Sarah {rest}" for rest in ("for help", "that was kind", "it works", "again", "a lot", "so much")],
        saying("Monday"),
        saying("OMG"),
        [f"it was Trump who said {rest}" for rest in ("so", "this", "that", "it", "nothing", "no such thing")],
        [f"{text[0].lower()}{text[1:]}" for text in saying("houston")],
        [
            f"{name} fails since {day}"
            for name in ("Reddit",)
            for day in ("noon", "dawn", "lunch", "dusk", "six", "one")
        ],
    ],
    ids=["a town", "a person", "a day", "talk", "a politician", "small", "at the beginning"],
)
def test_what_is_capitalised_for_another_reason_is_no_name(texts: list[str]) -> None:
    assert names_in([*saying("Visa", "PayPal"), *texts]) == {"visa", "paypal"}


@pytest.mark.parametrize("text", ["so MY HOUSTON APP IS GONE AGAIN", "so My Houston App is Gone Again"])
def test_shouting_and_headlines_say_nothing_of_names(text: str) -> None:
    assert add_texts(NameTally(), [text]).uses == {}


def test_german_nouns_are_no_names() -> None:
    texts = [
        f"Leider ist mit der App meine {noun} {what}"
        for noun in ("Rechnung", "Bestellung")
        for what in ("weg", "falsch", "nicht da", "wieder weg", "noch immer falsch", "doppelt")
    ]

    assert names_in([*saying("Visa", "PayPal"), *texts]) == {"visa", "paypal"}


def test_stress_on_a_word_that_others_write_small_makes_no_name() -> None:
    texts = [*saying("PIN"), *saying("pin", n=2)]

    assert names_in([*saying("Visa", "PayPal"), *texts]) == {"visa", "paypal"}


def test_half_of_a_pair_is_no_name_besides_it() -> None:
    assert names_in(saying("Apple Pay", "Google Pay")) == {"apple pay", "google pay"}


def test_a_plural_is_the_name_of_its_singular() -> None:
    found = names_in(saying("iPhone", "iPhones", "iPad"))

    assert found == {"iphone", "ipad"}
    assert named_in("two iPhones broke", found) == "iphone"


def test_the_same_text_sent_many_times_counts_once() -> None:
    texts = [*saying("Visa", "PayPal"), *["Why is my Discover refused"] * 50, "why is my DISCOVER refused"]

    assert names_in(texts) == {"visa", "paypal"}


def test_links_and_handles_name_nothing() -> None:
    texts = [f"Why is my @AcmeHelp https://Acme.example/{c} #AcmeDown {c}" for c in "abcdefg"]

    assert names_in([*saying("Visa", "PayPal"), *texts]) == {"visa", "paypal"}


def test_a_known_name_stays_where_a_new_one_would_not_be_learnt() -> None:
    tally = add_texts(NameTally(), [*saying("Visa", "PayPal", n=3), *CHATTER])

    assert learnt_names(tally) == frozenset()
    assert learnt_names(tally, known=frozenset(("visa", "paypal"))) == {"visa", "paypal"}


def test_tallying_leaves_the_tally_it_is_given_as_it_was() -> None:
    tally = add_texts(NameTally(), saying("Visa"))
    before = (tally.n_texts, dict(tally.uses), tally.heard)

    add_texts(tally, saying("Visa", "PayPal"))

    assert (tally.n_texts, dict(tally.uses), tally.heard) == before


def test_batches_do_not_matter() -> None:
    texts = [*saying("Visa", "Apple Pay"), *CHATTER, *saying("visa", "PayPal")]
    one_by_one = NameTally()
    for text in texts:
        one_by_one = add_texts(one_by_one, [text])

    assert one_by_one == add_texts(NameTally(), texts)


def test_a_tally_stays_bounded_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MAX_TEXTS", 100)
    monkeypatch.setattr(names, "MAX_WORDS", 50)
    tally = add_texts(NameTally(), [*saying("Visa", "PayPal"), *CHATTER])

    for i in range(40):
        tally = add_texts(tally, [f"Since then my Thing{i}x{j}y is broken" for j in range(10)])
        assert len(tally.uses) <= 50 + 4
        assert len(tally.heard) <= 100

    assert {"visa", "paypal"}.isdisjoint(tally.uses)


def test_there_are_never_more_names_than_a_text_can_be_looked_through_for() -> None:
    many = [f"{chr(97 + i // 26)}{chr(97 + i % 26)}zon".capitalize() for i in range(names.MAX_NAMES + 20)]

    assert len(names_in(saying(*many))) == names.MAX_NAMES


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("APPLE PAY IS DEAD", "apple pay"),
        ("apple-pay fails", "apple pay"),
        ("my Apple's gone", "apple"),
        ("アップルのApple Payが使えない", "apple pay"),
        ("apple pay and google pay", ""),
        ("apple watch with apple pay", ""),
        ("pineapple payment", ""),
        ("apple. pay now", "apple"),
        ("", ""),
    ],
)
def test_the_one_name_of_a_text_is_found_in_any_case_and_the_longest_first(text: str, name: str) -> None:
    assert named_in(text, APPLE_AND_GOOGLE) == name


def test_no_names_are_found_where_none_are_known() -> None:
    assert named_in("apple pay", frozenset()) == ""


def test_a_code_or_a_version_goes_before_a_name() -> None:
    assert guard_of("apple pay shows error 404", names=APPLE_AND_GOOGLE) == "404"
    assert guard_of("google pay broke with v4.2.1", names=APPLE_AND_GOOGLE) == "v4.2.1"
    assert guard_of("google pay broke 4 times", names=APPLE_AND_GOOGLE) == "google pay"


def test_names_are_learnt_again_when_a_quarter_has_come_since() -> None:
    assert learns_at(0) == names.LEAST_SEEN
    assert learns_at(1_000) == 1_250


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800 Broken", "🙂" * 500, "A" * 10_000, "’s ’s", "Ǆ ǅ ß İ"])
def test_odd_texts_do_no_harm(text: str) -> None:
    tally = add_texts(NameTally(), [text, *saying("Visa", "PayPal"), *CHATTER])

    assert learnt_names(tally) == {"visa", "paypal"}
    assert named_in(text, learnt_names(tally)) == ""
