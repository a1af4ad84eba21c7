"""What of a mail is its writer's own words."""

from __future__ import annotations

import pytest

from reports.intake.contract import MAX_TEXT_CHARS
from reports.intake.mail_text import own_subject, own_text, text_of_html

SAID = "I can't log in since nine.\nThe page stays white."


@pytest.mark.parametrize(
    "ending",
    [
        "\n-- \nJane Doe\nAccounts\n+49 30 1234567",
        "\n\nBest regards,\nJane Doe",
        "\n\nMit freundlichen Grüßen\nJane Doe\nBuchhaltung",
        "\n\nViele Grüße\nJane",
        "\n\nmfg",
        "\n\nThanks!\nJane",
        "\n\nSent from my iPhone",
        "\n\nVon meinem iPhone gesendet",
        "\n\nGet Outlook for Android",
        "\n\nOn Tue, 3 Mar 2026 at 09:12, Outcry <reports@example.org> wrote:\n> Thank you\n>\n> for your report",
        "\n\nOn Tue, 3 Mar 2026 at 09:12, Outcry\n<reports@example.org> wrote:\n> Thank you",
        "\n\nAm Di., 3. März 2026 um 09:12 Uhr schrieb Outcry <reports@example.org>:\n> Danke",
        "\n\nOn 3 Mar 2026, at 09:12, Outcry <reports@example.org> wrote:\n\nThank you for your report",
        "\n\n-----Original Message-----\nFrom: Outcry\nThank you",
        "\n\n-----Ursprüngliche Nachricht-----\nVon: Outcry\nDanke",
        "\n\n________________________________\nFrom: Outcry",
        "\n\nFrom: Outcry <reports@example.org>\nSent: Tuesday, 3 March 2026\nTo: Jane\nSubject: Yours\n\nThank you",
        "\n\n*Von:* Outcry\n*Gesendet:* Dienstag\nDanke",
        "\n\nThis e-mail and its attachments are confidential and intended for the addressee alone.\nIf you are not",
        "\n\nDiese E-Mail enthält vertrauliche Informationen. Falls Sie nicht der Adressat sind",
        "\n\nCONFIDENTIALITY NOTICE: this",
    ],
)
def test_what_stands_below_somebodys_words_is_cut_away(ending: str) -> None:
    assert own_text(SAID + ending) == SAID


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for nothing: the login is down again.",
        "Thanks\n" + "\n".join(f"and also {n} is broken" for n in range(12)),
        "From: 9 to 10 nothing worked.\nAfter that it did.",
        "On Monday I wrote:\nI see a blank page.",
        "The list:\n- login\n-- and the shop\n- mail",
        "Best regards",
    ],
)
def test_what_only_looks_like_an_ending_stays(text: str) -> None:
    assert own_text(text) == text


def test_answers_below_quotes_are_found() -> None:
    mail = "On Tue, 3 Mar at 9, Outcry <reports@example.org> wrote:\n> Is it fixed?\n\nNo, it is not.\n> Sure?\nYes."

    assert own_text(mail) == "No, it is not.\nYes."


def test_a_mail_that_is_quoted_as_a_whole_keeps_its_words() -> None:
    assert own_text("> I can't log in\n> since nine") == "I can't log in\nsince nine"


def test_a_subject_that_says_something_stands_first_and_once() -> None:
    assert own_text("since nine", subject="Re: [mail] Login fails") == "Login fails\nsince nine"
    assert own_text("Login fails since nine", subject="Login fails") == "Login fails since nine"
    assert own_text("Login fails", subject="Problem!") == "Login fails"
    assert own_text("", subject="Login fails") == "Login fails"


@pytest.mark.parametrize(
    "subject", ["", "Re:", "AW: WG: Hilfe!", "[mail]", "(no subject)", "Fwd: [ext] [mail] problem"]
)
def test_a_subject_that_says_nothing_is_left_out(subject: str) -> None:
    assert own_subject(subject) == ""


def test_what_a_person_can_not_mend_is_mended() -> None:
    text = own_text("a\x00b\u202ec\r\nd" + "e\u0301" * MAX_TEXT_CHARS)

    assert text.startswith("abc\ndé")
    assert len(text) == MAX_TEXT_CHARS


def test_a_mail_of_a_megabyte_of_greetings_is_read_at_once() -> None:
    assert own_text("lg\n" * 400_000).startswith("lg")


def test_markup_becomes_lines_and_what_is_not_shown_is_left_out() -> None:
    markup = (
        "<html><head><title>T</title><style>p{color:red}</style><body><script>alert(1)</script>"
        "<p>I can&rsquo;t <b>log</b>\n in</p><div>since&nbsp;nine<br>at work</div>"
        '<div class="gmail_quote">On Tuesday<div>Outcry wrote</div></div><blockquote>quoted</blockquote></body></html>'
    )

    assert text_of_html(markup) == "I can’t log in\n\nsince nine\nat work"


@pytest.mark.parametrize(
    "markup", ["<head><meta charset=utf-8><body>It is down", "<p>It is down", "<<p>It is down</div>"]
)
def test_broken_markup_keeps_its_words(markup: str) -> None:
    assert "It is down" in text_of_html(markup)


def test_markup_that_is_quoted_as_a_whole_keeps_its_words() -> None:
    assert text_of_html("<blockquote>It is down</blockquote>") == "It is down"


def test_comments_declarations_and_attributes_of_markup_are_not_read() -> None:
    markup = (
        "<!DOCTYPE html><!--[if gte mso 9]><xml><o:p>x</o:p></xml><![endif]--><style><!-- p > a {} --></style>"
        '<body><p class="a > b">down<br/>since <img src="data:image/png;base64,AAAA"/>nine &lt;here></p><![if !mso]>'
        '<div class="x gmail_quote y">before</div> 1 < 2 <img src="cut off'
    )

    assert text_of_html(markup) == "down\nsince nine <here>\n1 < 2"
