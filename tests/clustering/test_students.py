"""An encoder is learnt from the reports, used only where it is better, and put out of use where it no longer is."""

from __future__ import annotations

import functools
import logging
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from ml.encoders import EncoderUnavailableError, load_encoder
from ml.student import AGREEMENT_TO_SWITCH_ON, StudentEncoder, fit_student
from ml.synth import write_text
from ml.synth_texts import ERRORS, LOGIN, PAYMENT, SLOW
from ml.text import tokens
from ml.trial import try_student
from ml.types import FloatArray
from reports.clustering import encoding, students
from reports.clustering.services import cluster_pending
from reports.clustering.students import Outcome, learn_student, retire_student
from reports.enums import EncoderState, Symptom
from reports.models import ClusteringState, LearntEncoder, MicroCluster, Placement, Service
from tests.clustering.stories import a_service, tell
from tests.factories import NOW, make_cluster

pytestmark = pytest.mark.django_db
WHATS = ["login", "card", "parcel", "video", "router", "invoice", "map", "chat", "upload", "alarm", "camera", "ticket"]
HOWS = ["fails", "hangs", "vanished", "crashed", "froze", "late", "twice", "wrong", "empty", "stuck", "slow", "refused"]
FILLERS = [
    "today",
    "again",
    "please",
    "now",
    "here",
    "somehow",
    "yesterday",
    "honestly",
    "still",
    "suddenly",
    "often",
    "since",
]
TOMORROW = NOW + timedelta(days=1)


class WordTeacher:
    """A teacher to whom what and how matter and nothing else: words can say all it knows."""

    name = "word-teacher"
    n_dims = 24

    def encode(self, texts: list[str]) -> FloatArray:
        known = set(WHATS + HOWS)
        rows = [sum((vector_of(word) for word in tokens(text) if word in known), np.zeros(24)) for text in texts]
        return unit(np.array(rows))


class WhimsicalTeacher:
    """A teacher whose judgement has nothing to do with the words."""

    name = "whimsical-teacher"
    n_dims = 24

    def encode(self, texts: list[str]) -> FloatArray:
        return unit(np.array([vector_of(text) for text in texts]))


def vector_of(text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(zlib.crc32(text.encode())).normal(size=24)


def unit(rows: np.ndarray[Any, np.dtype[np.float64]]) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)


@pytest.fixture(autouse=True)
def _a_small_school(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Hundreds of texts instead of thousands, and few features, so that a lesson takes no time."""
    settings.ENCODER, settings.ENCODER_FOLDER = "auto", ""
    monkeypatch.setattr(students, "FRESH_TEXTS", 60)
    monkeypatch.setattr(students, "LEAST_TEXTS", 140)
    monkeypatch.setattr(students, "MOST_TEXTS", 360)
    monkeypatch.setattr(students, "try_student", functools.partial(try_student, n_word_dims=256))
    monkeypatch.setattr(students, "_told", set())
    taught_by(monkeypatch, WordTeacher)


def taught_by(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
    monkeypatch.setattr(students, "teacher_of", lambda texts, folder=None: make())


def measured(
    monkeypatch: pytest.MonkeyPatch, *, learnt: float, instead: float = 0.4, in_use: float | None = None
) -> None:
    """Let a lesson end with these figures."""

    def tried(*args: Any, **kwargs: Any) -> Any:
        trial = try_student(*args, **kwargs, n_word_dims=256)
        return replace(trial, agreement=learnt, agreement_in_use=learnt, agreement_instead=instead)

    monkeypatch.setattr(students, "try_student", tried)
    if in_use is not None:
        monkeypatch.setattr(students, "agreement", lambda ours, theirs, languages: in_use)


def some_texts(n: int, seed: int = 0) -> list[str]:
    """Return distinct texts of few words each."""
    rng = np.random.default_rng(seed)
    texts: dict[str, None] = {}
    while len(texts) < n:
        words = [rng.choice(WHATS), rng.choice(HOWS), *rng.choice(FILLERS, size=3, replace=False)]
        texts[" ".join(words)] = None
    return list(texts)


def told(n: int = 300, *, service: Service | None = None, seed: int = 0, **fields: Any) -> Service:
    """Hand in texts, with a symptom so that nobody asks whether they are problems, and place them."""
    service = service or a_service()
    tell(service, some_texts(n, seed), **({"symptom": Symptom.ERRORS} | fields))
    cluster_pending(now=NOW)
    return service


def in_use() -> str | None:
    return LearntEncoder.objects.filter(state=EncoderState.ACTIVE).values_list("name", flat=True).first()


def a_student(seed: int = 9) -> StudentEncoder:
    """Make a student and put it into use."""
    texts = some_texts(200, seed)
    student = fit_student(
        texts, WordTeacher().encode(texts), teacher="word-teacher", base=load_encoder("static"), n_word_dims=256
    )
    encoder = StudentEncoder(student)
    LearntEncoder.objects.create(
        name=encoder.name, teacher="word-teacher", weights=student.to_bytes(), n_texts=200, agreement=0.8,
        state=EncoderState.ACTIVE, fitted_at=NOW - timedelta(days=1), measured_at=NOW - timedelta(days=1),
    )  # fmt: skip
    return encoder


# -- Learning ---------------------------------------------------------------------------------------------------------
def test_a_student_that_agrees_with_its_teacher_is_put_into_use() -> None:
    told()

    lesson = learn_student(now=NOW)

    learnt = LearntEncoder.objects.get()
    assert lesson.outcome is Outcome.SWITCHED_ON
    assert (learnt.state, learnt.teacher, learnt.n_texts) == (EncoderState.ACTIVE, "word-teacher", lesson.n_texts)
    assert learnt.agreement == lesson.agreement > AGREEMENT_TO_SWITCH_ON
    assert encoding.the_encoder().name == learnt.name


def test_a_student_of_what_words_do_not_say_stays_on_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    told()
    taught_by(monkeypatch, WhimsicalTeacher)

    lesson = learn_student(now=NOW)

    assert lesson.outcome is Outcome.ON_TRIAL
    assert LearntEncoder.objects.get().state == EncoderState.TRIAL
    assert encoding.the_encoder() is load_encoder("auto")


def test_the_next_batch_is_placed_in_the_space_of_the_student() -> None:
    service = told()
    before = set(MicroCluster.objects.values_list("id", flat=True))
    learn_student(now=NOW)

    told(20, service=service, seed=5)

    assert ClusteringState.objects.get().encoder == in_use()
    assert set(MicroCluster.objects.values_list("encoder", flat=True)) == {in_use()}
    assert before <= set(MicroCluster.objects.values_list("id", flat=True))


def test_a_retired_student_hands_its_clusters_back() -> None:
    service = told()
    learn_student(now=NOW)
    told(20, service=service, seed=5)

    retire_student()
    told(20, service=service, seed=6)

    assert ClusteringState.objects.get().encoder == load_encoder("auto").name


def test_a_second_lesson_at_the_same_moment_changes_nothing() -> None:
    told()
    learn_student(now=NOW)
    before = list(LearntEncoder.objects.values_list())

    again = learn_student(now=NOW)
    forced = learn_student(now=NOW, is_due=True)

    assert again.outcome is Outcome.NOT_DUE
    assert forced.outcome is Outcome.KEPT
    assert list(LearntEncoder.objects.values_list()) == before


# -- Judging ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("learnt", "instead", "outcome"),
    [
        (0.76, 0.70, Outcome.SWITCHED_ON),
        (0.74, 0.30, Outcome.ON_TRIAL),  # agrees too little
        (0.91, 0.89, Outcome.ON_TRIAL),  # the static vectors agree nearly as well
    ],
)
def test_a_first_student_has_to_agree_and_to_be_clearly_better(
    monkeypatch: pytest.MonkeyPatch, learnt: float, instead: float, outcome: Outcome
) -> None:
    told(160)
    measured(monkeypatch, learnt=learnt, instead=instead)

    assert learn_student(now=NOW).outcome is outcome


@pytest.mark.parametrize(
    ("learnt", "of_old", "outcome", "states"),
    [
        (0.805, 0.80, Outcome.KEPT, {"old": "active", "new": "trial"}),  # not worth a switch
        (0.815, 0.80, Outcome.SWITCHED_ON, {"old": "retired", "new": "active"}),
        (0.30, 0.73, Outcome.KEPT, {"old": "active", "new": "trial"}),
        (0.30, 0.71, Outcome.RETIRED, {"old": "retired", "new": "trial"}),
        (0.76, 0.71, Outcome.SWITCHED_ON, {"old": "retired", "new": "active"}),
    ],
)
def test_a_student_in_use_stays_while_it_agrees_and_none_is_clearly_better(
    monkeypatch: pytest.MonkeyPatch, learnt: float, of_old: float, outcome: Outcome, states: dict[str, str]
) -> None:
    told(160)
    old = a_student().name
    measured(monkeypatch, learnt=learnt, in_use=of_old)

    lesson = learn_student(now=NOW)

    found = {
        "old" if name == old else "new": state for name, state in LearntEncoder.objects.values_list("name", "state")
    }
    assert (lesson.outcome, found) == (outcome, states)
    assert LearntEncoder.objects.get(name=old).agreement == of_old


def test_a_student_in_use_that_is_no_better_than_what_it_stands_in_for_is_retired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(160)
    a_student()
    measured(monkeypatch, learnt=0.80, instead=0.78, in_use=0.77)

    lesson = learn_student(now=NOW)

    assert (lesson.outcome, in_use()) == (Outcome.RETIRED, None)


def test_when_the_reports_change_the_student_in_use_is_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    told()
    learn_student(now=NOW)
    taught_by(monkeypatch, WhimsicalTeacher)

    lesson = learn_student(now=TOMORROW)

    assert lesson.outcome is Outcome.RETIRED
    assert lesson.agreement_in_use is not None
    assert lesson.agreement_in_use < 0.3
    assert encoding.the_encoder() is load_encoder("auto")


# -- What is kept -----------------------------------------------------------------------------------------------------
def test_of_old_students_only_those_are_kept_that_somebody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    service = told(160)
    for number, state in enumerate([EncoderState.TRIAL, EncoderState.RETIRED, EncoderState.RETIRED]):
        LearntEncoder.objects.create(
            name=f"old-{number}", teacher="t", weights=b"", n_texts=1, agreement=0.5, state=state,
            fitted_at=NOW, measured_at=NOW - timedelta(days=9 - number),
        )  # fmt: skip
    ClusteringState.objects.filter(service=service).update(encoder="old-1")
    taught_by(monkeypatch, WhimsicalTeacher)

    learn_student(now=NOW)

    kept = set(LearntEncoder.objects.values_list("name", flat=True))
    assert {name for name in kept if name.startswith("old")} == {"old-1", "old-2"}
    assert len(kept) == 3


# -- What is learnt from ----------------------------------------------------------------------------------------------
def texts_learnt_from(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Hold a lesson; return the texts it was fitted on and those it was measured on."""
    seen: list[list[str]] = []

    def tried(texts: list[str], fresh: list[str], **kwargs: Any) -> Any:
        seen.extend([list(texts), list(fresh)])
        return try_student(texts, fresh, **kwargs, n_word_dims=256)

    monkeypatch.setattr(students, "try_student", tried)
    learn_student(now=NOW, is_due=True)
    fitted, fresh = seen
    return fitted, fresh


def test_the_newest_texts_are_measured_on_and_never_fitted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(students, "CLUSTER_SHARES", (1.0,))
    monkeypatch.setattr(students, "TEXTS_OF_MICRO", 1_000)
    told(200)

    fitted, fresh = texts_learnt_from(monkeypatch)

    assert set(fresh) == set(some_texts(200)[-60:])
    assert set(fitted) == set(some_texts(200)[:-60])


def test_a_wording_counts_once_and_as_old_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(students, "CLUSTER_SHARES", (1.0,))
    monkeypatch.setattr(students, "TEXTS_OF_MICRO", 1_000)
    service = told(200)
    tell(service, [some_texts(200)[0].upper()], at=NOW + timedelta(hours=1), symptom=Symptom.LOGIN)
    cluster_pending(now=NOW)

    fitted, fresh = texts_learnt_from(monkeypatch)

    assert some_texts(200)[0] in fitted
    assert len(fitted) + len(fresh) == 200
    assert not any(text.isupper() for text in fresh)


def test_what_was_set_aside_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told(200)
    aside = Placement.objects.order_by("-counted_at").values_list("pk", flat=True)[:30]
    Placement.objects.filter(pk__in=list(aside)).update(is_set_aside=True, is_counted=False)

    fitted, fresh = texts_learnt_from(monkeypatch)

    assert not set(fitted + fresh) & set(some_texts(200)[-30:])


def test_a_busy_service_gives_at_most_half_while_others_have_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(students, "CLUSTER_SHARES", (1.0,))
    told(120, service=a_service("quiet"), seed=1, at=NOW - timedelta(days=1))
    told(400, service=a_service("busy"), seed=2)

    _, fresh = texts_learnt_from(monkeypatch)

    assert len(set(fresh) & set(some_texts(400, seed=2))) == 30


def test_one_problem_gives_a_tenth_while_others_have_any(monkeypatch: pytest.MonkeyPatch) -> None:
    service = told(300)
    problems = [make_cluster(service, label=f"problem {number}") for number in range(15)]
    in_order = MicroCluster.objects.filter(service=service).order_by("-last_seen_at", "id")
    for place, micro_id in enumerate(in_order.values_list("id", flat=True)):
        is_of_storm = place < in_order.count() // 4
        MicroCluster.objects.filter(pk=micro_id).update(cluster=problems[0 if is_of_storm else 1 + place % 14])
    of_storm = {heard.text for heard in students._heard() if heard.cluster_id == problems[0].pk}

    _, fresh = texts_learnt_from(monkeypatch)

    assert len(of_storm) > 30
    assert len(set(fresh) & of_storm) == 6


# -- From whom it is learnt -------------------------------------------------------------------------------------------
def test_the_teacher_is_chosen_by_the_texts_to_fit_on_and_by_the_operators_folder(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.ENCODER_FOLDER = str(tmp_path)
    asked: list[tuple[list[str], Path | None]] = []

    def chosen(texts: list[str], *, folder: Path | None) -> WordTeacher:
        asked.append((texts, folder))
        return WordTeacher()

    monkeypatch.setattr(students, "teacher_of", chosen)
    told(200)

    fitted, _ = texts_learnt_from(monkeypatch)

    assert asked == [(fitted, tmp_path)]


def test_a_student_of_a_teacher_of_many_languages_learns_letters_and_comes_into_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Polyglot(WordTeacher):
        name = "multilingual-word-teacher"

    told()
    taught_by(monkeypatch, Polyglot)
    monkeypatch.setattr("ml.trial.N_LETTER_DIMS", 64)

    lesson = learn_student(now=NOW)

    student = encoding.the_encoder()
    assert lesson.outcome is Outcome.SWITCHED_ON
    assert isinstance(student, StudentEncoder)
    assert student._student.n_letter_dims == 64


@pytest.mark.parametrize("goes_on", [True, False])
def test_with_minilm_what_is_learnt_reads_with_it_while_the_trial_says_that_learning_helps(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, goes_on: bool
) -> None:
    settings.ENCODER = "minilm"
    told(180)
    measured(monkeypatch, learnt=0.9)

    first = learn_student(now=NOW)

    student = encoding.the_encoder()
    assert (first.outcome, getattr(student, "reads_with_model", False)) == (Outcome.SWITCHED_ON, True)

    measured(monkeypatch, learnt=0.9 if goes_on else 0.6, instead=0.8, in_use=0.97)

    assert learn_student(now=TOMORROW).outcome is (Outcome.KEPT if goes_on else Outcome.RETIRED)
    settings.ENCODER = "auto"  # to which a student that needs the model is of no use
    assert encoding.the_encoder() is load_encoder("auto")


def test_the_teachers_memory_is_given_back_whatever_comes_of_the_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(students, "forget_teachers", lambda: forgotten.append(True))
    told(160)

    learn_student(now=NOW, is_due=True)
    monkeypatch.setattr(students, "try_student", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        learn_student(now=NOW, is_due=True)

    assert forgotten == [True, True]


# -- Where nothing is learnt ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["static", "hashing", "multilingual"])
def test_nothing_is_learnt_where_the_setting_names_an_encoder(settings: Settings, name: str) -> None:
    told(160)
    settings.ENCODER = name

    assert learn_student(now=NOW).outcome is Outcome.NOT_WANTED


def test_an_encoder_of_the_setting_comes_before_a_student_in_use(settings: Settings) -> None:
    a_student()
    settings.ENCODER = "hashing"

    assert encoding.the_encoder() is load_encoder("hashing")


def test_nothing_is_learnt_from_few_texts() -> None:
    told(100)

    lesson = learn_student(now=NOW)

    assert lesson.outcome is Outcome.TOO_FEW_TEXTS
    assert 90 <= lesson.n_texts <= 100  # of many in one micro-cluster the latest are read
    assert not LearntEncoder.objects.exists()


def test_without_a_teacher_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise EncoderUnavailableError("the minilm encoder needs the package x; run `make install`")

    told(160)
    taught_by(monkeypatch, missing)

    with caplog.at_level(logging.INFO, logger="reports.clustering.students"):
        outcomes = [learn_student(now=NOW).outcome for _ in range(3)]

    assert outcomes == [Outcome.NO_TEACHER] * 3
    assert [record.getMessage().count("run `make install`") for record in caplog.records] == [1]


def test_a_student_in_use_outlives_the_teacher_it_was_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise EncoderUnavailableError("gone")

    told(160)
    student = a_student()
    taught_by(monkeypatch, missing)

    lesson = learn_student(now=NOW)

    assert lesson.outcome is Outcome.NO_TEACHER
    assert encoding.the_encoder().name == student.name


def test_two_never_learn_at_once() -> None:
    told(160)
    parameters = {key: value for key, value in connection.get_connection_params().items() if key in CONNECTS_BY}

    with psycopg.connect(**parameters, autocommit=True) as rival:
        rival.execute("SELECT pg_advisory_lock(%s, 0)", [students.LOCK_LEARNING])
        lesson = learn_student(now=NOW)
        rival.execute("SELECT pg_advisory_unlock(%s, 0)", [students.LOCK_LEARNING])

    assert lesson.outcome is Outcome.BUSY
    assert learn_student(now=NOW).outcome is Outcome.SWITCHED_ON


CONNECTS_BY = {"dbname", "host", "port", "user", "password"}


# -- What can't be used -----------------------------------------------------------------------------------------------
def damaged() -> str:
    a_student()
    LearntEncoder.objects.update(weights=b"OCS2 and then nothing")
    return in_use() or ""


def test_a_damaged_student_keeps_no_report_from_its_place_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = damaged()

    with caplog.at_level(logging.ERROR, logger="reports.clustering.encoding"):
        service = told(10)
        told(10, service=service, seed=1)

    assert Placement.objects.count() == 20
    assert ClusteringState.objects.get().encoder == load_encoder("auto").name
    assert [name in record.getMessage() for record in caplog.records] == [True]


def test_a_student_whose_static_vectors_are_gone_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    a_student()

    def missing(name: str) -> None:
        raise EncoderUnavailableError("the static encoder needs the package wordllama")

    monkeypatch.setattr("ml.student.load_encoder", missing)

    assert encoding.the_encoder() is load_encoder("auto")


def test_a_damaged_student_is_retired_by_the_next_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    name = damaged()
    told(160)
    taught_by(monkeypatch, WhimsicalTeacher)

    lesson = learn_student(now=NOW)

    assert (lesson.outcome, lesson.agreement_in_use) == (Outcome.RETIRED, 0.0)
    assert LearntEncoder.objects.get(name=name).state == EncoderState.RETIRED


def test_to_ask_which_encoder_is_used_takes_one_query(django_assert_num_queries: Any) -> None:
    a_student()
    encoding.the_encoder()

    with django_assert_num_queries(1):
        encoding.the_encoder()


def test_texts_have_a_language_where_the_encoder_knows_many_and_not_for_its_student() -> None:
    # In a student's space languages are together already: a mean of each one's own would tear them apart.
    of_many = StudentEncoder(replace(a_student()._student, teacher="multilingual-use3-0.2.1"))
    texts = ["I cannot log in to my account", "ich kann mich nicht einloggen"]

    assert encoding.spoken(load_encoder("multilingual"), texts) == ("en", "de")
    assert encoding.spoken(of_many, texts) is None
    assert encoding.spoken(load_encoder("static"), texts) is None


# -- The real teacher -------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_minilm_teaches_a_student_from_simulated_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    from ml.trial import teacher_of

    monkeypatch.setattr(students, "teacher_of", teacher_of)
    service = a_service()
    rng = np.random.default_rng(3)
    topics = [LOGIN, ERRORS, SLOW, PAYMENT] * 100
    texts = [write_text(topic, rng=rng, lang="en", service="Acme", region="DE-BE") for topic in topics]
    tell(service, texts, symptom=Symptom.LOGIN)
    cluster_pending(now=NOW)

    lesson = learn_student(now=NOW)

    learnt = LearntEncoder.objects.get()
    assert learnt.teacher == "minilm-l6-v2-int8-v1"
    assert lesson.agreement == learnt.agreement > 0.3
    assert lesson.outcome in {Outcome.SWITCHED_ON, Outcome.ON_TRIAL}
    assert encoding.usable_student(learnt.name) is not None
