"""Found outages are matched with labels in time, service and region; what nobody labelled is unknown, not false."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ml.outage_matching import FoundOutage
from ml.outage_scores import recorded_services, score
from ml.outage_truth import Truth, parse_truth

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def truth(**changes: object) -> Truth:
    label = {"service": "Power", "start": START.isoformat(), "end": None, "regions": ["US-TX"], **changes}
    quiet = {"service": "power", "start": "2026-04-01T00:00:00Z", "end": "2026-04-02T00:00:00Z", "regions": ["*"]}
    return parse_truth({"outages": [label], "quiet": [quiet]})


def a_label(*, hours: float) -> dict[str, object]:
    return {"service": "Power", "start": (START + hours * HOUR).isoformat(), "end": None, "regions": ["US-TX"]}


def found(minutes: float, *regions: str, service: str = "power", is_confirmed: bool = True) -> FoundOutage:
    moment = START + timedelta(minutes=minutes)
    confirmed_at = moment + timedelta(minutes=2) if is_confirmed else None
    return FoundOutage(service=service, regions=regions, suspected_at=moment, confirmed_at=confirmed_at)


def test_an_outage_in_its_place_and_time_is_found() -> None:
    result = score([found(7, "US-TX")], truth())

    assert (result["n_found"], result["n_found_right_regions"], result["n_found_confirmed"]) == (1, 1, 1)
    assert (result["median_minutes_to_suspected"], result["median_minutes_to_confirmed"]) == (7.0, 9.0)
    assert result["precision_labelled"] == 1.0


@pytest.mark.parametrize(("minutes", "n_found"), [(-31, 0), (-30, 1), (24 * 60, 1), (24 * 60 + 1, 0)])
def test_it_must_be_suspected_in_time(minutes: float, n_found: int) -> None:
    assert score([found(minutes, "US-TX")], truth())["n_found"] == n_found


def test_after_its_end_it_is_too_late() -> None:
    ended = truth(end=(START + timedelta(hours=1)).isoformat())

    assert score([found(61, "US-TX")], ended)["n_found"] == 0


@pytest.mark.parametrize(
    ("regions", "n_found", "n_right"),
    [(("US",), 1, 0), ((), 1, 0), (("US-TX-48201",), 1, 1), (("US-CA",), 0, 0), (("US-CA", "US-TX"), 1, 1)],
)
def test_its_region_must_be_related(regions: tuple[str, ...], n_found: int, n_right: int) -> None:
    result = score([found(5, *regions)], truth())

    assert (result["n_found"], result["n_found_right_regions"]) == (n_found, n_right)


def test_another_service_does_not_count() -> None:
    assert score([found(5, "US-TX", service="water")], truth())["n_found"] == 0


def test_an_alarm_in_a_quiet_period_is_false_and_one_nobody_labelled_is_unknown() -> None:
    in_quiet = (datetime(2026, 4, 1, 6, tzinfo=UTC) - START).total_seconds() / 60

    result = score([found(in_quiet, "FR"), found(in_quiet - 3 * 24 * 60, "FR")], truth())

    assert (result["n_confirmed_in_quiet"], result["n_confirmed_unknown"]) == (1, 1)
    assert result["precision_labelled"] == 0.0


def test_only_confirmed_alarms_are_judged() -> None:
    result = score([found(5, "US-TX", is_confirmed=False)], truth())

    assert (result["n_found"], result["n_found_confirmed"], result["n_confirmed"]) == (1, 0, 0)
    assert result["n_suspected_only"] == 1
    assert result["precision_labelled"] is None


def test_one_outage_may_answer_two_labels() -> None:
    label = {"service": "power", "start": "2026-03-01T12:00:00Z", "end": None, "regions": ["US-TX"]}

    result = score([found(5, "US-TX")], parse_truth({"outages": [label, label]}))

    assert (result["n_found"], result["n_confirmed_true"]) == (2, 1)


def test_what_nobody_labelled_has_no_recall_and_no_times() -> None:
    result: Any = score([found(5, "US-TX")], parse_truth({"outages": []}))

    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert result["recall"] == {"suspected": nothing, "confirmed": nothing}
    assert result["minutes_to_suspected"] == {"median": nothing, "p90": nothing}
    assert result["region_f1"] == result["incidents_per_outage"] == nothing
    assert result["alarms"] == [{"verdict": "unknown", "labels": [], "quiet": None}]


def test_recall_leaves_out_what_was_not_recorded() -> None:
    labels = [a_label(hours=0), a_label(hours=48), a_label(hours=-9_000)]
    recorded = recorded_services({"Power": [START - HOUR, START + 60 * HOUR]})

    result: Any = score([found(5, "US-TX")], parse_truth({"outages": labels}), recorded=recorded)

    assert (result["n_labelled"], result["n_found"], result["n_not_recorded"]) == (3, 1, 1)
    assert (result["recall"]["suspected"]["value"], result["recall"]["suspected"]["n"]) == (0.5, 2)
    assert [entry["verdict"] for entry in result["outages"]] == ["hit", "missed", "not recorded"]


def test_times_have_a_median_and_the_time_within_which_nine_in_ten_were_found() -> None:
    labels = [a_label(hours=100 * i) for i in range(10)]
    alarms = [found(100 * 60 * i + i + 1, "US-TX") for i in range(10)]  # 1, 2, … 10 minutes after

    times = cast(Any, score(alarms, parse_truth({"outages": labels})))["minutes_to_suspected"]

    assert times["median"] == {"value": 5.5, "low": 2.0, "high": 9.0, "n": 10}
    assert times["p90"] == {"value": 9.0, "low": 7.0, "high": None, "n": 10}


def test_each_outage_opened_in_time_for_a_label_is_one_of_its_incidents() -> None:
    labels = [a_label(hours=0), a_label(hours=100)]
    alarms = [found(5, "US-TX"), found(90, "US"), found(95, "US-TX", is_confirmed=False), found(6_005, "US-TX")]

    result: Any = score(alarms, parse_truth({"outages": labels}))

    assert [entry["n_incidents"] for entry in result["outages"]] == [3, 1]
    assert [entry["n_incidents_confirmed"] for entry in result["outages"]] == [2, 1]
    assert (result["incidents_per_outage"]["value"], result["incidents_per_outage"]["n"]) == (2.0, 2)
    assert result["region_f1"]["value"] == 1.0
    assert result["outages"][0]["alarms"] == [0, 1, 2]


def test_alarms_are_counted_a_service_month_for_both_strengths() -> None:
    in_quiet = (datetime(2026, 4, 1, 6, tzinfo=UTC) - START).total_seconds() / 60
    alarms = [found(5, "US-TX"), found(in_quiet, "FR"), found(in_quiet, "FR", is_confirmed=False), found(9_999, "FR")]
    every_day = [START + i * 24 * HOUR for i in range(61)]  # 60 days: 1.97 months

    result: Any = score(alarms, truth(), recorded=recorded_services({"Power": every_day}))

    assert result["service_months"] == pytest.approx(60 / 30.4375, abs=1e-3)
    rates = [result[f"{kind}alarms_per_service_month"] for kind in ("", "false_", "unknown_")]
    assert [(rate["suspected"]["n"], rate["confirmed"]["n"]) for rate in rates] == [(4, 3), (2, 1), (1, 1)]
    assert rates[0]["suspected"]["value"] == pytest.approx(4 / (60 / 30.4375))
    assert rates[0]["suspected"]["low"] < rates[0]["suspected"]["value"] < rates[0]["suspected"]["high"]
    assert [result["precision"][kind]["value"] for kind in ("suspected", "confirmed")] == [1 / 3, 1 / 2]


def test_without_a_recording_there_are_no_rates() -> None:
    result: Any = score([found(5, "US-TX")], truth())

    assert result["service_months"] is None
    assert result["alarms_per_service_month"]["suspected"] == {"value": None, "low": None, "high": None, "n": 1}


def test_too_late_an_alarm_is_unknown_and_counted_as_late_besides() -> None:
    result: Any = score([found(30 * 60, "US-TX")], truth())

    assert (result["n_confirmed_unknown"], result["n_late_alarms"]["confirmed"]) == (1, 1)
    assert (result["outages"][0]["verdict"], result["outages"][0]["late_alarms"]) == ("too late", [0])
    assert result["outages"][0]["found"] is False


def test_the_same_outages_have_the_same_score_in_plain_json_values() -> None:
    alarms = [found(5, "US-TX"), found(9, "US")]

    first, second = score(alarms, truth()), score(alarms, truth())

    assert first == second == json.loads(json.dumps(first))


def test_days_without_any_report_were_not_recorded() -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    times = {"Mail": [day, day + 240 * HOUR], "mail": [day + 24 * HOUR], "Chat": [day + 60 * HOUR, day + 84 * HOUR]}

    mail, chat = recorded_services(times)

    # 1 to 4 May hold reports of either service, and the 11th one at midnight.
    assert (mail.service, mail.first_at, mail.last_at, mail.days) == ("Mail", day, day + 240 * HOUR, 4.0)
    assert chat.days == 1.0


def test_a_service_without_reports_was_not_recorded() -> None:
    assert recorded_services({"Mail": []}) == ()
