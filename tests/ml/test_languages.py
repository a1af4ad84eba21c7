"""The language of a short text, from its script and its commonest words."""

from __future__ import annotations

import pytest

from ml.language_words import COMMON_WORDS
from ml.languages import languages_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can't log in since this morning", "en"),
        ("Ich kann mich nicht einloggen", "de"),
        ("no puedo entrar en mi cuenta desde ayer", "es"),
        ("je n'ai plus de connexion depuis ce matin", "fr"),
        ("não consigo entrar na minha conta", "pt"),
        ("non riesco a entrare nel mio conto, perché?", "it"),
        ("ik kan niet meer inloggen", "nl"),
        ("jag kan inte logga in på appen", "sv"),
        ("nie mogę się zalogować od rana", "pl"),
        ("uygulama çok kötü ve giriş yok", "tr"),
        ("aplikasi ini tidak bisa dibuka", "id"),
        ("ứng dụng không nghe được nhạc", "vi"),
        ("не могу войти в приложение", "ru"),
        ("не можу увійти, чому це так", "uk"),
        ("لا أستطيع الدخول إلى حسابي", "ar"),
        ("نمی توانم وارد شوم و این کار نیست", "fa"),
        ("ログインできない、サーバー障害？", "ja"),
        ("无法登录，服务器坏了", "zh"),
        ("로그인이 안 됩니다", "ko"),
        ("δεν μπορώ να συνδεθώ", "el"),
        ("אני לא מצליח להתחבר", "he"),
        ("เข้าสู่ระบบไม่ได้", "th"),
    ],
)
def test_a_report_is_known_by_its_language(text: str, language: str) -> None:
    assert languages_of([text]) == [language]


@pytest.mark.parametrize(
    "text", ["", "   ", "502", "🔥🔥", "https://example.com/the/and/is", "@the_and #is", "Zxqv 5G"]
)
def test_nothing_to_go_by_is_unknown(text: str) -> None:
    assert languages_of([text]) == [""]


def test_a_word_that_two_languages_share_alone_decides_nothing() -> None:
    assert languages_of(["problema"]) == [""]


def test_one_chance_likeness_among_many_words_decides_nothing() -> None:
    assert languages_of(["bon jovi tour dates madison square garden"]) == [""]


def test_the_script_that_fills_most_of_the_text_decides() -> None:
    assert languages_of(["تطبيق Spotify لا يعمل على هاتفي", "the word здесь is down for me and you"]) == ["ar", "en"]


def test_curly_and_straight_apostrophes_are_one() -> None:
    assert languages_of(["it’s broken", "it's broken"]) == ["en", "en"]


def test_each_text_is_told_for_itself() -> None:
    texts = ["I can't log in", "", "Ich kann mich nicht einloggen"]

    assert languages_of(texts) == [languages_of([text])[0] for text in texts]


def test_only_the_beginning_of_a_hostile_text_is_read() -> None:
    assert languages_of(["I can't log in. " * 30 + "не могу войти " * 10_000]) == ["en"]


def test_every_word_has_one_vote_to_share() -> None:
    for words in COMMON_WORDS.values():
        for shares in words.values():
            assert sum(weight for _, weight in shares) == pytest.approx(1.0)
