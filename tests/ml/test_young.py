"""A service's first day, watched from its first minute on: what is steady is usual, what rises is not."""

from __future__ import annotations

import numpy as np
import pytest

from ml.detect_stream import find_alarms
from ml.phases import Phase
from ml.watch import Alarm, ServiceWatch
from ml.young import raised_to_life, watched_since

N_SERVICES = 5


def alarms_of(mean: np.ndarray, seed: int, *, watched_since: int | None = None) -> list[Alarm]:
    """All alarms of one service with Poisson reports, by the minute they were suspected."""
    counts = np.random.default_rng(seed).poisson(mean)
    counts = np.pad(counts, (0, -counts.size % 60)).reshape(-1, 60)
    watch = ServiceWatch("mail", first_hour=0, watched_since=watched_since)
    for hour, of_hour in enumerate(counts.tolist()):
        watch.take_hour(hour, {"mail": of_hour})
    return sorted(watch.ended + watch.alarms, key=lambda alarm: alarm.suspected)


@pytest.mark.parametrize("rate", [0.5, 2.0, 10.0])
def test_a_service_that_is_steady_from_its_first_minute_on_confirms_nothing(rate: float) -> None:
    found = [alarms_of(np.full(1440, rate), seed) for seed in range(N_SERVICES)]

    assert [alarm for alarms in found for alarm in alarms if alarm.confirmed is not None] == []
    assert sum(map(len, found)) <= 1


def test_a_service_made_in_the_midst_of_an_hour_is_steady_from_then_on() -> None:
    mean = np.concatenate([np.zeros(45), np.full(300, 4.0)])

    assert alarms_of(mean, 1, watched_since=45) == []


def test_a_first_day_that_begins_at_night_confirms_no_morning() -> None:
    night_to_day = 2.0 * np.interp(np.arange(1440) / 60.0, [0, 2, 6, 12, 18, 24], [0.15, 0.2, 1.4, 1.4, 1.6, 0.2])
    found = [alarms_of(night_to_day, seed) for seed in range(N_SERVICES)]

    assert [alarm for alarms in found for alarm in alarms if alarm.confirmed is not None] == []


def test_reports_after_half_an_hour_of_silence_are_found_as_soon_as_ever() -> None:
    mean = np.concatenate([np.zeros(30), np.full(30, 5.0)])

    found = [alarms_of(mean, seed)[0] for seed in range(N_SERVICES)]

    assert max(alarm.suspected for alarm in found) <= 30 + 2
    assert all(alarm.confirmed is not None and alarm.confirmed <= 30 + 4 for alarm in found)


@pytest.mark.parametrize("begins", [20, 60, 180])
def test_one_a_minute_that_becomes_six_is_found_within_ten_minutes(begins: int) -> None:
    mean = np.concatenate([np.full(begins, 1.0), np.full(60, 6.0)])

    found = [alarms_of(mean, seed) for seed in range(N_SERVICES)]
    in_time = [alarms for alarms in found if alarms and begins <= alarms[0].suspected < begins + 10]

    assert len(in_time) >= N_SERVICES - 1


def test_a_confirmed_outage_does_not_become_usual_life_while_it_goes_on() -> None:
    mean = np.concatenate([np.full(60, 0.5), np.full(120, 8.0)])

    [outage] = alarms_of(mean, 3)

    assert 60 <= outage.suspected < 70
    assert (outage.ended, outage.phase) == (None, Phase.CONFIRMED)  # two hours later, and no report less
    assert outage.expected < outage.observed / 4


def test_first_reports_in_a_long_recording_come_after_silence() -> None:
    other = [(minute, "chat", 1) for minute in range(0, 240, 60)]
    flood = [(minute, "mail", 5) for minute in range(200, 230)]

    found = find_alarms(iter(sorted(other + flood)))

    assert [(alarm.root, 200 <= alarm.suspected <= 202) for alarm in found] == [("mail", True)]


def test_a_recording_that_begins_with_the_service_says_nothing_of_before() -> None:
    steady = [(minute, "mail", 5) for minute in range(17, 400)]

    assert find_alarms(iter(steady)) == []
    assert (watched_since(17, 17), watched_since(400, 17)) == (17, 370)


def test_life_never_lowers_what_is_usual() -> None:
    expected = np.full((2, 1, 18), 50.0)
    raised = raised_to_life(expected, 9.0, np.zeros((2, 120)), np.ones(120), [120])

    assert (raised.expected == 50.0).all()
    assert (raised.strength == 9.0).all()


def test_a_minute_that_was_no_usual_life_counts_for_nothing() -> None:
    counts = np.full((1, 120), 1.0)
    counts[0, 40:55] = 100.0
    is_outage = np.zeros(120, dtype=bool)
    is_outage[40:55] = True
    raised = raised_to_life(np.zeros((1, 1, 18)), 1.0, counts, np.ones(120), [120], is_outage=is_outage)

    assert raised.expected[0, 0, -1] == pytest.approx(60.0, rel=0.05)  # an hour, compared with the hour before


def test_after_an_hour_of_outage_what_was_learnt_is_usual() -> None:
    raised = raised_to_life(
        np.ones((1, 1, 18)), 1.0, np.full((1, 120), 9.0), np.ones(120), [120], is_outage=np.ones(120, dtype=bool)
    )

    assert (raised.expected == 1.0).all()


def test_watched_must_be_parts_of_minutes() -> None:
    with pytest.raises(ValueError, match="watched must lie in"):
        raised_to_life(np.zeros((1, 1, 18)), 1.0, np.zeros((1, 60)), np.full(60, 2.0), [60])
