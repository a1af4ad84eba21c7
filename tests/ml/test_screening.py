"""The screen keeps problem reports of many trades and languages, sets chatter aside, and learns from corrections.

The texts here were written apart from those the model learns from; none is a rewording of one of them.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ml.screening import SET_ASIDE_BELOW, Example, fit_screen
from ml.screening_texts_chatter import CHATTER
from ml.screening_texts_chatter_en import CHATTER_EN
from ml.screening_texts_problems import PROBLEMS
from ml.screening_texts_problems_en import PROBLEMS_EN
from ml.text import normalise

HELD_OUT_PROBLEMS = (
    "whole cul-de-sac lost electricity right after the bang",
    "substation humming then boom, everybody on Elm Road sits in darkness",
    "hairdryer tripped nothing, the grid itself is gone in our suburb",
    "electricity keeps cutting off during my zoom lectures",
    "traffic signals on the ring road are all dead",
    "our DSL has been flapping since the thunderstorm",
    "cannot ring my doctor, every call ends with beep beep",
    "5G shows full strength but pages never finish",
    "tv says no signal on every channel",
    "mortgage payment bounced although there is enough on the account",
    "your ATM kept my debit card this evening",
    "someone in another country is spending with my card!!",
    "money I moved to savings vanished",
    "wallet app refuses my fingerprint since patch day",
    "movie halts at 43 minutes no matter which device",
    "audiobook jumps back to chapter one each time",
    "cloud saves wiped, 80 hours of progress lost",
    "ranked mode throws error 1017 for our whole clan",
    "headset not detected after firmware 2.4",
    "got somebody else's trousers instead of my jacket",
    "courier marked it as handed over, doorstep is empty",
    "discount not applied at checkout and I paid full",
    "7:12 tram never showed up, again",
    "gate changed twice, now the board says cancelled",
    "kiosk swallowed a twenty and printed no ticket",
    "CI runners hang at 'queued' for the whole org",
    "exports come out with zero rows since yesterday's release",
    "SAML login returns a white page for all our staff",
    "passport appointment form throws me out at the last step",
    "unemployment portal says session invalid over and over",
    "pump 3 at the filling station charges but gives no fuel",
    "smart meter reads nonsense and the bill is ten times higher",
    "boiler dead, pipes freezing",
    "tap runs dry after 8pm every evening",
    "great series, shame that it won't start on my tv any more",
    "thx for the voucher but it is rejected everywhere",
    "anyone else stuck at connecting...?",
    "down?",
    "504",
    "E-2041",
    "ded",
    "borked",
    "?",
    "Aufzug steckt fest und keiner kommt",
    "Router tot seit dem Gewitter",
    "Überweisung hängt seit Dienstag",
    "kaputt",
    "Netz weg in ganz Altona",
    "se quemó el transformador y seguimos a oscuras",
    "mi saldo desapareció",
    "no luz",
    "llevo dos horas sin señal",
    "plus aucun signal sur la box depuis l'orage",
    "mon virement a disparu",
    "caiu tudo aqui no prédio, nem elevador anda",
    "meu saldo sumiu",
    "il bancomat non mi ha dato i soldi",
    "la linea cade ogni cinque minuti",
    "mijn bestelling is nooit aangekomen",
    "al uren geen bereik in de trein",
    "التيار مقطوع منذ ساعتين",
    "التطبيق يغلق وحده",
    "saatlerdir su akmıyor",
    "param iade edilmedi",
    "prąd wysiadł w całym bloku",
    "pieniądze zniknęły z konta",
    "急に電気が消えて真っ暗",
    "決済が失敗する",
)

HELD_OUT_CHATTER = (
    "honestly the nicest bakery app out there, thanks folks",
    "thank you for sorting that out so quickly",
    "been a fan for years, never disappointed",
    "what a powerful speech by the young activist",
    "power stance for the camera",
    "grandma's power walk club meets at seven",
    "the dictator clings to power",
    "lights, music, confetti: best wedding ever",
    "sunset lights over the lake, gorgeous",
    "she lights up every room",
    "an electric performance by the whole orchestra",
    "my brain is in airplane mode today lol",
    "blackout poetry workshop on saturday, come along",
    "this beat is pure electricity",
    "new outage of good ideas in parliament, says columnist",
    "documentary about the great blackout of 1965 was fascinating",
    "our electricians are hiring apprentices, apply now",
    "win two tickets, just follow and share",
    "summer sale, up to 70% off everything",
    "how do I add my wife to the plan?",
    "which currencies can I hold?",
    "what are your opening hours on sunday?",
    "do you offer discounts for students",
    "could you please add an option for larger letters",
    "would love a version for my watch",
    "premium is too expensive for me",
    "so many ads, but a lovely app",
    "our power is back, thanks to the crews",
    "it's working again, cheers",
    "love love love these songs",
    "wow great singer",
    "happy new year everyone",
    "vielen dank, toller Service",
    "schöne Lieder und gute Auswahl",
    "me encanta esta aplicación, la uso todos los días",
    "gracias, excelente servicio",
    "j'adore cette appli, merci",
    "muito bom, adoro o aplicativo",
    "bellissima app, la consiglio",
    "geweldig, heel tevreden",
    "تطبيق جميل جدا شكرا",
    "çok güzel bir uygulama, teşekkürler",
    "bardzo dobra aplikacja, polecam",
    "とても使いやすいアプリです",
)


def test_it_keeps_nearly_every_problem_it_has_not_seen() -> None:
    p = fit_screen().p_problem(HELD_OUT_PROBLEMS)

    lost = [text for text, p_text in zip(HELD_OUT_PROBLEMS, p, strict=True) if p_text < SET_ASIDE_BELOW]
    assert len(lost) <= 0.03 * len(HELD_OUT_PROBLEMS), lost


def test_it_sets_most_chatter_aside_that_it_has_not_seen() -> None:
    p = fit_screen().p_problem(HELD_OUT_CHATTER)

    kept = [text for text, p_text in zip(HELD_OUT_CHATTER, p, strict=True) if p_text >= SET_ASIDE_BELOW]
    assert len(kept) <= 0.3 * len(HELD_OUT_CHATTER), kept


def test_probabilities_mean_what_they_say() -> None:
    p = fit_screen().p_problem([*HELD_OUT_PROBLEMS, *HELD_OUT_CHATTER])

    is_problem = np.repeat([1.0, 0.0], [len(HELD_OUT_PROBLEMS), len(HELD_OUT_CHATTER)])
    assert np.mean((p - is_problem) ** 2) < 0.12


@pytest.mark.parametrize("text", ["", "   ", "https://example.com/a", "qzxw vrrk", "🦭", "ᚠᚢᚦ"])
def test_it_keeps_what_it_cannot_read(text: str) -> None:
    p = fit_screen().p_problem([text])

    assert p[0] >= SET_ASIDE_BELOW


def test_a_problem_in_the_midst_of_small_talk_stays_a_problem() -> None:
    text = "Happy friday everyone! Love from the lake. By the way our power is out since noon. Have a great weekend"

    p = fit_screen().p_problem([text])

    assert p[0] >= SET_ASIDE_BELOW


def test_held_out_texts_are_not_among_those_it_learns_from() -> None:
    learnt = {
        normalise(text)
        for texts_by_language in (PROBLEMS_EN, PROBLEMS, CHATTER_EN, CHATTER)
        for texts in texts_by_language.values()
        for text in texts
    }

    shared = {
        text for text in (*HELD_OUT_PROBLEMS, *HELD_OUT_CHATTER) if normalise(text) in learnt and " " in text.strip()
    }

    assert shared == set()


def test_no_text_is_shipped_as_a_problem_and_as_chatter() -> None:
    sides = [
        {normalise(text) for texts_by_language in side for texts in texts_by_language.values() for text in texts}
        for side in ((PROBLEMS_EN, PROBLEMS), (CHATTER_EN, CHATTER))
    ]

    assert sides[0] & sides[1] == set()


def test_every_language_has_texts_of_both_sides_and_none_is_empty() -> None:
    for problems, chatter in ((PROBLEMS_EN, CHATTER_EN), (PROBLEMS, CHATTER)):
        assert problems.keys() == chatter.keys()
        assert all(all(text for text in texts) for side in (problems, chatter) for texts in side.values())


def test_probabilities_are_one_a_text_and_do_not_depend_on_neighbours() -> None:
    screen = fit_screen()
    texts = ["no power", "what a night", ""]

    together = screen.p_problem(texts)

    assert together.shape == (3,)
    assert together.dtype == np.float64
    np.testing.assert_array_equal(together, [screen.p_problem([text])[0] for text in texts])


def test_no_text_gives_no_probability() -> None:
    assert fit_screen().p_problem([]).shape == (0,)


def test_two_fits_give_the_same_probabilities() -> None:
    examples = [Example("the stove sings", True), Example("radio silence is golden", False)]

    first, second = fit_screen(examples), fit_screen(examples)

    np.testing.assert_array_equal(first.p_problem(HELD_OUT_PROBLEMS), second.p_problem(HELD_OUT_PROBLEMS))


def test_case_links_and_names_change_nothing() -> None:
    screen = fit_screen()

    p = screen.p_problem(["Cannot log in", "@acme CANNOT LOG IN https://example.com/x"])

    assert p[0] == p[1]


def test_one_correction_keeps_near_identical_texts_that_were_set_aside() -> None:
    near = ["I want to change my personal details", "hi, i want to change my personal details please"]

    before = fit_screen().p_problem(near)
    after = fit_screen([Example("i want to change my personal details", is_problem=True)]).p_problem(near)

    assert (before < SET_ASIDE_BELOW).all()
    assert (after >= SET_ASIDE_BELOW).all()


def test_one_correction_sets_a_kept_text_aside() -> None:
    text = "the dragon boss is unplayable for my dog haha"

    before = fit_screen().p_problem([text])
    after = fit_screen([Example(text, is_problem=False)]).p_problem([text.upper()])

    assert before[0] >= SET_ASIDE_BELOW > after[0]


def test_a_correction_leaves_unrelated_texts_nearly_alone() -> None:
    texts = [*HELD_OUT_PROBLEMS, *HELD_OUT_CHATTER]

    before = fit_screen().p_problem(texts)
    after = fit_screen([Example("the dragon boss is unplayable for my dog haha", is_problem=False)]).p_problem(texts)

    assert np.mean(np.abs(after - before)) < 0.01


def test_a_correction_overrules_a_shipped_text() -> None:
    text = PROBLEMS_EN["en"][0]

    after = fit_screen([Example(text, is_problem=False)]).p_problem([text])

    assert after[0] < SET_ASIDE_BELOW


def test_the_later_of_two_contradicting_corrections_holds() -> None:
    text = "the gate sings a song"

    kept = fit_screen([Example(text, False), Example(text, True)]).p_problem([text])
    aside = fit_screen([Example(text, True), Example(text, False)]).p_problem([text])

    assert kept[0] >= SET_ASIDE_BELOW > aside[0]


def test_a_correction_without_words_teaches_nothing() -> None:
    screen = fit_screen([Example("", is_problem=False), Example("https://example.com/x", is_problem=False)])

    assert screen.n_corrections == 0


def test_reasons_name_the_words_as_they_were_written() -> None:
    reasons = fit_screen().reasons("Internet in LEEDS is Broken")

    assert {word for word, value in reasons if value > 0} <= {"Internet", "LEEDS", "is", "Broken", "in"}
    assert "Broken" in {word for word, _ in reasons}


def test_reasons_for_praise_speak_against_a_problem() -> None:
    reasons = fit_screen().reasons("Thank you, lovely music", n=1)

    assert reasons[0][1] < 0


def test_reasons_add_up_to_the_log_odds() -> None:
    screen = fit_screen()
    text = "the tap is dry and the tap is loud"

    total = screen.intercept + sum(value for _, value in screen.reasons(text, n=99))

    p = screen.p_problem([text])[0]
    assert total == pytest.approx(np.log(p / (1 - p)))


def test_a_text_without_words_has_no_reasons() -> None:
    assert fit_screen().reasons("???") == []


def test_less_than_one_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        fit_screen().reasons("no power", n=0)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_positive_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="correction_weight must be positive"):
        fit_screen(correction_weight=weight)


def test_importing_the_module_does_not_load_scikit_learn() -> None:
    code = "import sys, ml.screening; sys.exit('sklearn' in sys.modules)"

    result = subprocess.run([sys.executable, "-c", code], check=False)

    assert result.returncode == 0
