"""Learning an encoder from this installation's own reports, measuring it, and putting it into or out of use.

Invariant: an encoder is in use only while its agreement with its teacher, measured on reports it was not fitted on, is
high enough and better than that of the encoder it stands in for; whatever goes wrong here, reports are placed by the
one that was in use. What takes long holds no transaction. Not here: the mathematics (`ml.trial`), which encoder places
a batch (`encoding`), and what becomes of clusters when another one does (`handover`).
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from ml.encoders import EncoderUnavailableError, forget_teachers, load_teacher
from ml.student import AGREEMENT_TO_KEEP, agreement
from ml.text import normalise
from ml.trial import Trial, teacher_of, try_student
from ml.types import Encoder
from reports.clustering import encoding
from reports.enums import EncoderState
from reports.intake.alone import alone
from reports.models import ClusteringState, LearntEncoder, Service

logger = logging.getLogger(__name__)

LOCK_LEARNING: Final = 7104  # first half of the advisory lock's key; the other is 0
# On which texts a student is measured: the newest, so that what is new counts.
FRESH_TEXTS: Final = 500
# Fewer teach too little: the first halves of the labelled sets gave students worth having from 1,000 texts on.
LEAST_TEXTS: Final = 1_000 + FRESH_TEXTS
MOST_TEXTS: Final = 4_000 + FRESH_TEXTS
# An outage is a thousand wordings of one problem; neither it nor a busy service may be all that is learnt.
SERVICE_SHARE: Final = 0.5
CLUSTER_SHARES: Final = (0.1, 0.2, 0.4, 1.0)  # the first that is wide enough
TEXTS_OF_MICRO: Final = 8  # of nearly the same wording
# A switch reads every service's micro-clusters anew; students of 1,700 and of 6,200 texts differ by half as much.
REPLACE_BETTER_BY: Final = 0.01
LEARN_AGAIN_AFTER: Final = timedelta(hours=12)


class Outcome(Enum):
    """What became of learning, as a sentence for people."""

    NOT_WANTED = "The setting ENCODER names an encoder from which none is learnt."
    BUSY = "Another process is learning at this moment."
    NOT_DUE = "The last measurement is not old enough."
    NO_TEACHER = "There is no sentence model to learn from; `make install` installs one."
    TOO_FEW_TEXTS = "There are too few reports to learn from."
    SWITCHED_ON = "The encoder that was learnt is in use from now on."
    KEPT = "The learnt encoder that was in use stays."
    RETIRED = "The learnt encoder that was in use has become too bad; the one of the setting takes its place."
    ON_TRIAL = "The encoder that was learnt is not good enough to be used."


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of learning, and the figures it rests on; None where nothing was measured."""

    outcome: Outcome
    n_texts: int = 0
    agreement: float | None = None
    agreement_instead: float | None = None
    agreement_in_use: float | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """A wording, and when and where it was heard first of late."""

    text: str
    service_id: int
    cluster_id: int
    at: datetime


_told: set[str] = set()  # why there is no teacher: once a process is enough


def learn_student(*, now: datetime, is_due: bool = False, progress: Callable[[int, int], None] | None = None) -> Lesson:
    """Learn an encoder from the latest reports, measure it and the one in use, and use whichever is right to use.

    `is_due` says that it does not matter when this was done last. A second run at the same moment changes nothing.
    Concurrency: a second process leaves it to the first. The lock is the session's, because a transaction must not
    stay open for as long as a teacher reads.
    """
    if settings.ENCODER not in encoding.LEARNING:
        return Lesson(Outcome.NOT_WANTED)
    with alone(LOCK_LEARNING) as is_alone:
        if not is_alone:
            return Lesson(Outcome.BUSY)
        if not is_due and LearntEncoder.objects.filter(measured_at__gt=now - LEARN_AGAIN_AFTER).exists():
            return Lesson(Outcome.NOT_DUE)
        try:
            return _learn(now=now, progress=progress)
        finally:
            forget_teachers()  # half a gigabyte perhaps, which is needed again tomorrow


def retire_student() -> str | None:
    """Put the learnt encoder out of use and return its name; None where none is in use.

    Concurrency: should it be learning time, what is measured last has the last word.
    """
    in_use = LearntEncoder.objects.filter(state=EncoderState.ACTIVE).defer("weights").first()
    if in_use is None:
        return None
    LearntEncoder.objects.filter(pk=in_use.pk).update(state=EncoderState.RETIRED)
    return in_use.name


def _learn(*, now: datetime, progress: Callable[[int, int], None] | None) -> Lesson:
    heard = _heard()
    if len(heard) < LEAST_TEXTS:
        return Lesson(Outcome.TOO_FEW_TEXTS, n_texts=len(heard))
    fresh = _choose(heard, FRESH_TEXTS)
    chosen = set(fresh)
    fitted = _choose([item for item in heard if item not in chosen], MOST_TEXTS - FRESH_TEXTS)
    texts, fresh_texts = [item.text for item in fitted], [item.text for item in fresh]
    teacher = _teacher(texts)
    if teacher is None:
        return Lesson(Outcome.NO_TEACHER)
    trial = try_student(texts, fresh_texts, teacher=teacher, instead=encoding.encoder_of_setting(), progress=progress)
    in_use = LearntEncoder.objects.filter(state=EncoderState.ACTIVE).values_list("name", flat=True).first()
    of_in_use = _agreement_of(in_use, fresh_texts, trial) if in_use is not None else None
    outcome = _judge(trial, of_in_use)
    with transaction.atomic():
        _write(trial, outcome, in_use, of_in_use, teacher=teacher, now=now)
        _delete_unneeded()
    lesson = Lesson(outcome, trial.n_texts, trial.agreement, trial.agreement_instead, of_in_use)
    logger.info(
        "%s Agreement with %s: %.2f learnt from %d texts, %.2f without learning%s.",
        outcome.value, teacher.name, trial.agreement, trial.n_texts, trial.agreement_instead,
        f", {of_in_use:.2f} in use until now" if of_in_use is not None else "",
    )  # fmt: skip
    return lesson


def _teacher(texts: Sequence[str]) -> Encoder | None:
    try:
        if settings.ENCODER == "minilm":
            return load_teacher("minilm")
        return teacher_of(texts, folder=encoding.model_folder())
    except EncoderUnavailableError as error:
        if str(error) not in _told:
            _told.add(str(error))
            logger.info("No encoder is learnt: %s.", error)
        return None


def _heard() -> list[_Heard]:
    """Return the latest wordings of all services, newest first, each as it was heard first.

    Queries: one, and one a service.
    """
    first: dict[str, _Heard] = {}
    for service_id in Service.objects.order_by("id").values_list("id", flat=True):
        of_service: dict[str, _Heard] = {}
        for cluster_id, at, text in _texts_of(service_id):
            wording = normalise(text)
            if wording:
                of_service.setdefault(wording, _Heard(text, service_id, cluster_id, at))
        for wording, heard in list(of_service.items())[-MOST_TEXTS:]:
            if wording not in first or heard.at < first[wording].at:
                first[wording] = heard
    return sorted(first.values(), key=lambda heard: (heard.at, heard.text), reverse=True)


def _texts_of(service_id: int) -> list[tuple[int, datetime, str]]:
    """Return the latest texts of each of a service's latest micro-clusters, oldest first, but for what is set aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.cluster_id, p.counted_at, r.text FROM (SELECT id, cluster_id FROM reports_microcluster"
            " WHERE service_id = %s ORDER BY last_seen_at DESC, id LIMIT %s) AS m CROSS JOIN LATERAL ("
            " SELECT report_id, counted_at, is_set_aside FROM reports_placement"
            " WHERE micro_cluster_id = m.id ORDER BY report_id DESC LIMIT %s) AS p"
            " JOIN reports_report r ON r.id = p.report_id WHERE NOT p.is_set_aside AND r.text <> ''"
            " ORDER BY p.counted_at, r.id",
            [service_id, MOST_TEXTS, TEXTS_OF_MICRO],
        )
        rows: list[tuple[int, datetime, str]] = cursor.fetchall()
    return rows


def _choose(heard: Sequence[_Heard], n_most: int) -> list[_Heard]:
    """Return the newest, of one service and of one cluster no more than their share while others have any."""
    taken: dict[_Heard, None] = {}
    of_service: Counter[int] = Counter()
    of_cluster: Counter[int] = Counter()
    for service_share, cluster_share in itertools.product((SERVICE_SHARE, 1.0), CLUSTER_SHARES):
        for item in heard:
            if (
                item not in taken
                and len(taken) < n_most
                and of_service[item.service_id] < service_share * n_most
                and of_cluster[item.cluster_id] < cluster_share * n_most
            ):
                taken[item] = None
                of_service[item.service_id] += 1
                of_cluster[item.cluster_id] += 1
    return list(taken)


def _agreement_of(name: str, fresh_texts: Sequence[str], trial: Trial) -> float:
    """Return the agreement of the learnt encoder in use, 0.0 where it can't be used at all or with another setting."""
    encoder = encoding.fitting_student(name)
    if encoder is None:
        return 0.0
    return agreement(encoder.encode(fresh_texts), trial.fresh_vectors, trial.fresh_languages)


def _judge(trial: Trial, of_in_use: float | None) -> Outcome:
    """Return what the figures say; a switch has to be worth its trouble, and so has staying."""
    if of_in_use is None:
        return Outcome.SWITCHED_ON if trial.is_worth_it else Outcome.ON_TRIAL
    # One that reads with the model always agrees with it; whether learning still helps, the trial tells.
    told = min(of_in_use, trial.agreement) if trial.encoder.reads_with_model else of_in_use
    keeps = told >= max(AGREEMENT_TO_KEEP, trial.agreement_instead)
    if trial.is_worth_it and (not keeps or trial.agreement_in_use >= of_in_use + REPLACE_BETTER_BY):
        return Outcome.SWITCHED_ON
    return Outcome.KEPT if keeps else Outcome.RETIRED


def _write(
    trial: Trial,
    outcome: Outcome,
    in_use: str | None,
    of_in_use: float | None,
    *,
    teacher: Encoder,
    now: datetime,
) -> None:
    if in_use is not None:
        LearntEncoder.objects.filter(name=in_use).update(
            state=EncoderState.ACTIVE if outcome is Outcome.KEPT else EncoderState.RETIRED,
            agreement=of_in_use,
            measured_at=now,
        )
    if trial.encoder.name == in_use and outcome is Outcome.KEPT:
        return  # the same texts again: it is in use already
    LearntEncoder.objects.update_or_create(
        name=trial.encoder.name,
        defaults={
            "teacher": teacher.name,
            "weights": trial.student.to_bytes(),
            "n_texts": trial.n_texts,
            "agreement": trial.agreement_in_use,
            "state": EncoderState.ACTIVE if outcome is Outcome.SWITCHED_ON else EncoderState.TRIAL,
            "fitted_at": now,
            "measured_at": now,
        },
    )


def _delete_unneeded() -> None:
    """Keep the latest of each state, for people to read, and those in whose space a service's clusters still are."""
    kept = [
        LearntEncoder.objects.filter(state=state).order_by("-measured_at", "-id").values_list("id", flat=True).first()
        for state in EncoderState
    ]
    named = ClusteringState.objects.values("encoder")
    LearntEncoder.objects.exclude(pk__in=[pk for pk in kept if pk is not None]).exclude(name__in=named).delete()
