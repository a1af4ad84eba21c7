"""Simulated people: reports of an outage among everyday chatter, for drills, demonstrations and tests.

Texts come from a small grammar (`synth_texts`) in seven languages with the marks of real ones: typos, missing marks,
capitals, emojis, error codes. Times follow a Poisson process with a daily rhythm; an outage ramps up, begins where it
begins and spreads with a delay. Chance is a `numpy` generator and the clock is an argument, so the same call gives the
same reports. Nothing here is measured on anybody: rates and shares are plausible, not fitted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ml import synth_texts as words
from ml.types import Float64Array

# Where people write from, and in which language (the rest, one in eight, write English anywhere).
_WEIGHTS = {
    "US-CA": 6, "US-NY": 5, "US-TX": 5, "US-FL": 4, "US-WA": 2, "GB-ENG": 6, "GB-SCT": 1, "DE-BY": 3, "DE-BE": 3,
    "DE-BW": 2, "DE-HE": 2, "DE-NW": 4, "DE-HH": 1, "DE-SN": 1, "AT-9": 1, "FR-IDF": 4, "FR-ARA": 1, "ES-MD": 3,
    "ES-CT": 2, "MX-CMX": 2, "BR-SP": 4, "BR-RJ": 2, "IT-25": 2, "IT-62": 2, "TR-34": 2, "TR-06": 1,
}  # fmt: skip
_LANGUAGE = {
    "US": "en", "GB": "en", "DE": "de", "AT": "de", "FR": "fr", "ES": "es", "MX": "es", "BR": "pt", "IT": "it",
    "TR": "tr",
}  # fmt: skip
_P_ENGLISH = 0.125
_P_NO_REGION = 0.08
_P_COUNTRY_ONLY = 0.12

_CHATTER: tuple[tuple[words.Phrases, str, float], ...] = (
    (words.QUESTION, "other", 0.24),
    (words.PRAISE, "other", 0.18),
    (words.APP, "app", 0.22),
    (words.PAYMENT, "payment", 0.16),
    (words.LOGIN, "login", 0.07),
    (words.ERRORS, "errors", 0.05),
    (words.SLOW, "slow", 0.08),
)

_CODES = ("502", "503", "500", "504", "0x80070005", "E-1042")
_GROUP = re.compile(r"\(([^()]*)\)")
_SPREAD_MINUTES = 6.0  # from the first regions to the next ring


@dataclass(frozen=True, slots=True)
class SyntheticReport:
    """One report; `is_outage` says whether the simulated outage caused it, which nobody but a test may look at."""

    time: datetime
    service: str
    region: str
    text: str
    lang: str
    reporter: str
    symptom: str
    is_outage: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens: `rings` are the regions hit first, next, and so on; every ring follows the one before."""

    title: str
    phrases: words.Phrases
    symptom: str
    rings: tuple[tuple[str, ...], ...]
    codes: tuple[str, ...]
    peak_per_minute: float
    ramp_minutes: float


SCENARIOS: Mapping[str, Scenario] = {
    "regional_login": Scenario(
        title="Nobody can log in, first in Bavaria, then in the rest of Germany",
        phrases=words.LOGIN,
        symptom="login",
        rings=(("DE-BY",), ("DE-BW", "DE-HE", "DE-NW"), ("DE-BE", "DE-HH", "DE-SN")),
        codes=("401", "AUTH-17"),
        peak_per_minute=14.0,
        ramp_minutes=4.0,
    ),
    "global_502": Scenario(
        title="Every page answers 502, everywhere at once",
        phrases=words.ERRORS,
        symptom="errors",
        rings=(tuple(_WEIGHTS),),
        codes=("502",),
        peak_per_minute=25.0,
        ramp_minutes=3.0,
    ),
    "slow_api": Scenario(
        title="The API grows slow for users in the United States",
        phrases=words.SLOW,
        symptom="slow",
        rings=(("US-CA", "US-WA"), ("US-TX", "US-NY", "US-FL")),
        codes=("504",),
        peak_per_minute=8.0,
        ramp_minutes=12.0,
    ),
}


def scenario(
    name: str,
    *,
    rng: np.random.Generator,
    start: datetime,
    minutes: int = 60,
    service: str = "Chat",
    onset_minutes: int = 0,
    outage_minutes: int | None = None,
    peak_per_minute: float | None = None,
    background_per_minute: float = 0.5,
) -> list[SyntheticReport]:
    """Play an outage among everyday reports.

    Parameters
    ----------
    name : str
        One of `SCENARIOS`.
    rng : numpy.random.Generator
        Source of chance.
    start : datetime
        Aware time of the first minute.
    minutes : int
        Length of the whole recording.
    service : str
        Whom the reports are about.
    onset_minutes : int
        When the outage begins, after `start`.
    outage_minutes : int, optional
        How long it lasts; to the end of the recording by default. Afterwards reports fade within minutes.
    peak_per_minute : float, optional
        Reports of the outage a minute once it has ramped up; the scenario's own by default.
    background_per_minute : float
        Mean rate of everything else.

    Returns
    -------
    list of SyntheticReport
        Oldest first.

    Raises
    ------
    ValueError
        For an unknown name, a naive `start` or a negative rate or duration.

    Notes
    -----
    Cost O(reports).

    Examples
    --------
    >>> import numpy as np
    >>> from datetime import UTC, datetime
    >>> reports = scenario("global_502", rng=np.random.default_rng(1), start=datetime(2026, 1, 5, 9, tzinfo=UTC))
    >>> sum(report.is_outage for report in reports) > 1000
    True
    """
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}; known are {', '.join(SCENARIOS)}")
    plan = SCENARIOS[name]
    peak = plan.peak_per_minute if peak_per_minute is None else peak_per_minute
    if minutes < 0 or onset_minutes < 0 or (outage_minutes or 0) < 0 or peak < 0:
        raise ValueError("minutes, onset_minutes, outage_minutes and peak_per_minute must not be negative")
    reports = _background(rng, start, minutes, service, background_per_minute)
    since_onset = np.arange(minutes, dtype=np.float64) - onset_minutes
    weight = {region: _WEIGHTS.get(region, 1) for ring in plan.rings for region in ring}
    # The first ring is where it is worst: its reports weigh as much as all the others' together.
    first = sum(weight[region] for region in plan.rings[0])
    others = sum(weight.values()) - first
    for i, ring in enumerate(plan.rings):
        ring_peak = peak if others == 0 else peak / 2 * sum(weight[r] for r in ring) / (others if i else first)
        rate = ring_peak * _ramp(since_onset - i * _SPREAD_MINUTES, plan.ramp_minutes)
        if outage_minutes is not None:
            rate = rate * np.exp(-np.maximum(since_onset - outage_minutes, 0.0) / 3.0)
        for moment in _moments(rng, start, rate):
            region = _pick(rng, {region: weight[region] for region in ring})
            reports.append(_report(rng, moment, service, region, plan.phrases, plan.symptom, plan.codes, True))
    return _with_repeats(rng, sorted(reports, key=lambda report: report.time))


def history(
    *, rng: np.random.Generator, start: datetime, days: int, service: str = "Chat", per_hour: float = 4.0
) -> list[SyntheticReport]:
    """Play everyday reports without any outage: mornings rise, nights are quiet, weekends are slow.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    start : datetime
        Aware time of the first report.
    days : int
        Length.
    service : str
        Whom the reports are about.
    per_hour : float
        Mean rate over a week.

    Returns
    -------
    list of SyntheticReport
        Oldest first.

    Raises
    ------
    ValueError
        For a naive `start` or a negative rate or duration.

    Examples
    --------
    >>> import numpy as np
    >>> from datetime import UTC, datetime
    >>> week = history(rng=np.random.default_rng(1), start=datetime(2026, 1, 5, tzinfo=UTC), days=7)
    >>> 500 < len(week) < 850, any(report.is_outage for report in week)
    (True, False)
    """
    return _background(rng, start, days * 24 * 60, service, per_hour / 60.0)


def write_text(
    phrases: words.Phrases,
    *,
    rng: np.random.Generator,
    lang: str,
    service: str,
    region: str = "",
    codes: tuple[str, ...] = _CODES,
) -> str:
    """Write one text as somebody in a hurry would.

    Parameters
    ----------
    phrases : dict of str to tuple of str
        One of the topics in `synth_texts`.
    lang : str
        Language; English where the topic has no phrases in it.

    Returns
    -------
    str
        Never empty.
    """
    spoken = lang if lang in phrases else "en"
    places = words.PLACES.get(region) or _places_of_country(region)
    text = _expand(rng, str(rng.choice(phrases[spoken])))
    text = text.replace("{service}", service if rng.random() < 0.7 else service.lower())
    text = text.replace("{code}", str(rng.choice(codes)))
    text = text.replace("{ago}", str(rng.choice(words.AGO[spoken])))
    text = text.replace("{place}", str(rng.choice(places)) if places else "{place}")
    text = text.replace("{n}", str(rng.integers(2, 10)))
    if "{place}" in text:  # nobody says where who does not say where
        text = re.sub(r"\s*(\b(in|from|a|à|en|em)\s+)?\{place\}", "", text)
    if rng.random() < 0.22:
        text = str(rng.choice(words.OPENERS[spoken])) + text
    if rng.random() < 0.3:
        text = text.rstrip() + "," + str(rng.choice(words.CLOSERS[spoken]))
    text = re.sub(r"\s+([,.?])", r"\1", re.sub(r"\s+", " ", text)).replace("?,", "?").strip(" ,")
    is_happy = phrases is words.PRAISE
    return _rush(rng, text, words.HAPPY_EMOJI if is_happy else words.EMOJI)


def _background(
    rng: np.random.Generator, start: datetime, minutes: int, service: str, per_minute: float
) -> list[SyntheticReport]:
    if start.tzinfo is None:
        raise ValueError("start must be an aware time")
    if minutes < 0 or per_minute < 0:
        raise ValueError("durations and rates must not be negative")
    topics = [phrases for phrases, _, _ in _CHATTER]
    symptoms = [symptom for _, symptom, _ in _CHATTER]
    odds = np.array([share for _, _, share in _CHATTER])
    reports = []
    for moment in _moments(rng, start, per_minute * _rhythm(start, minutes)):
        topic = int(rng.choice(len(topics), p=odds / odds.sum()))
        region = _pick(rng, _WEIGHTS)
        reports.append(_report(rng, moment, service, region, topics[topic], symptoms[topic], _CODES, False))
    return reports


def _report(
    rng: np.random.Generator,
    moment: datetime,
    service: str,
    region: str,
    phrases: words.Phrases,
    symptom: str,
    codes: tuple[str, ...],
    is_outage: bool,
) -> SyntheticReport:
    lang = "en" if rng.random() < _P_ENGLISH else _LANGUAGE[region[:2]]
    text = write_text(phrases, rng=rng, lang=lang, service=service, region=region, codes=codes)
    told = rng.random()
    shown = "" if told < _P_NO_REGION else region[:2] if told < _P_NO_REGION + _P_COUNTRY_ONLY else region
    chip = rng.random()
    return SyntheticReport(
        time=moment,
        service=service,
        region=shown,
        text=text,
        lang=lang,
        reporter=f"synthetic-{rng.integers(16**10):010x}",
        symptom=symptom if chip < 0.7 else "down" if chip < 0.8 and is_outage else "",
        is_outage=is_outage,
    )


def _with_repeats(rng: np.random.Generator, reports: list[SyntheticReport]) -> list[SyntheticReport]:
    """One in twelve is by somebody who has written before: impatient people write twice."""
    again = []
    for i, report in enumerate(reports):
        if i and rng.random() < 1 / 12:
            earlier = reports[int(rng.integers(max(0, i - 40), i))]
            text = earlier.text if rng.random() < 0.5 else earlier.text + "!!"
            again.append(replace(earlier, time=report.time, text=text))
        else:
            again.append(report)
    return again


def _rhythm(start: datetime, minutes: int) -> Float64Array:
    """Relative rate of each minute, 1 on average over a week."""
    first = start.astimezone(UTC)
    minute_of_week = first.weekday() * 1440 + first.hour * 60 + first.minute + np.arange(minutes)
    hour = minute_of_week / 60.0 % 24.0
    daily = 1.0 + 0.7 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi)  # people of many time zones: highest at 15:00 UTC
    weekend = np.where(minute_of_week // 1440 % 7 >= 5, 0.7, 1.12)
    return np.asarray(daily * weekend)


def _ramp(minutes_since: Float64Array, ramp_minutes: float) -> Float64Array:
    return np.where(minutes_since < 0, 0.0, 1.0 - np.exp(-(minutes_since + 1.0) / ramp_minutes))


def _moments(rng: np.random.Generator, start: datetime, per_minute: Float64Array) -> list[datetime]:
    per_minute_counts = rng.poisson(per_minute)
    minutes = np.repeat(np.arange(per_minute_counts.size), per_minute_counts)
    seconds = minutes * 60.0 + rng.random(minutes.size) * 60.0
    return [start + timedelta(seconds=float(second)) for second in np.sort(seconds)]


def _pick(rng: np.random.Generator, weights: Mapping[str, int]) -> str:
    odds = np.array(list(weights.values()), dtype=np.float64)
    return list(weights)[int(rng.choice(odds.size, p=odds / odds.sum()))]


def _places_of_country(region: str) -> tuple[str, ...]:
    return tuple(
        place for code, places in words.PLACES.items() if region and code[:2] == region[:2] for place in places
    )


def _expand(rng: np.random.Generator, phrase: str) -> str:
    while (found := _GROUP.search(phrase)) is not None:
        choice = str(rng.choice(found.group(1).split("|")))
        phrase = phrase[: found.start()] + choice + phrase[found.end() :]
    return phrase


def _rush(rng: np.random.Generator, text: str, emoji: tuple[str, ...]) -> str:
    """Make a text look written on a phone: each habit with its own chance."""
    habits: tuple[tuple[float, Callable[[str], str]], ...] = (
        (0.25, lambda t: _typo(rng, t)),
        (0.08, lambda t: _typo(rng, t)),
        (0.30, str.lower),
        (0.05, str.upper),
        (0.25, lambda t: t[:1].upper() + t[1:]),
        (0.20, lambda t: t.replace(",", "").replace("'", "")),
        (0.12, lambda t: t + "!" * int(rng.integers(1, 4))),
        (0.10, lambda t: t + "..."),
        (0.16, lambda t: t + " " + str(rng.choice(emoji)) * int(rng.integers(1, 3))),
    )
    for chance, habit in habits:
        if rng.random() < chance:
            text = habit(text)
    return text


def _typo(rng: np.random.Generator, text: str) -> str:
    letters = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if not letters:
        return text
    i = int(rng.choice(letters))
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]  # swapped
    if kind == 1:
        return text[:i] + text[i + 1 :]  # dropped
    return text[:i] + text[i] + text[i:]  # doubled
