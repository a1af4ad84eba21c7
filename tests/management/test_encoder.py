"""`manage.py encoder` tells which encoder is in use, learns one on demand, and retires it."""

from __future__ import annotations

import functools
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ml.encoders import HashingEncoder, load_encoder
from ml.trial import try_student
from reports.clustering import students
from reports.clustering.services import cluster_pending
from reports.enums import EncoderState, Symptom
from reports.models import LearntEncoder
from tests.clustering.stories import LOGIN, PARCEL, a_service, tell
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_small_school(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ENCODER = "auto"
    monkeypatch.setattr(students, "FRESH_TEXTS", 10)
    monkeypatch.setattr(students, "LEAST_TEXTS", 20)
    monkeypatch.setattr(students, "teacher_of", lambda texts, folder=None: HashingEncoder(16))
    monkeypatch.setattr(students, "try_student", functools.partial(try_student, n_word_dims=64))


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("encoder", *arguments, stdout=out)
    return out.getvalue()


def some_reports() -> None:
    tell(a_service(), [f"{text} {i}" for i in range(4) for text in LOGIN + PARCEL], symptom=Symptom.LOGIN)
    cluster_pending(now=NOW)


def test_without_anything_learnt_it_names_the_encoder_of_the_setting() -> None:
    assert told() == f"In use: {load_encoder('auto').name} (ENCODER=auto)\n"


def test_it_learns_now_and_tells_the_figures() -> None:
    some_reports()

    out = told("--learn")

    learnt = LearntEncoder.objects.get()
    assert f"learnt from {learnt.n_texts} texts {learnt.agreement:.2f}" in out
    assert f"on trial: {learnt.name}" in out


def test_it_learns_again_though_it_was_done_a_moment_ago() -> None:
    some_reports()
    told("--learn")

    assert "Agreement with the teacher" in told("--learn")


def test_where_there_is_nothing_to_learn_from_it_ends_with_an_error() -> None:
    with pytest.raises(CommandError, match="too few reports"):
        told("--learn")


def test_it_retires_the_encoder_in_use() -> None:
    some_reports()
    told("--learn")
    LearntEncoder.objects.update(state=EncoderState.ACTIVE)
    name = LearntEncoder.objects.get().name

    before, out = told(), told("--retire")

    assert f"In use: {name}" in before
    assert f"{name} is out of use." in out
    assert f"In use: {load_encoder('auto').name}" in out


def test_with_nothing_to_retire_it_says_so() -> None:
    assert "No learnt encoder is in use." in told("--retire")
