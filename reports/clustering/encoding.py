"""Which encoder turns this installation's reports into vectors, and what is remembered of texts just read.

Invariant: everything remembered here follows from a text and the encoder alone, so forgetting it changes no result. On
the day of an outage most texts have been typed before. A student that can't be used never keeps a report from its
place. Not here: how a student is learnt (`students`), and what happens to clusters when another encoder places
(`handover`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from ml.encoders import EncoderUnavailableError, load_encoder, reference_vectors
from ml.languages import languages_of
from ml.multilingual import is_multilingual
from ml.reading import TextReader
from ml.student import Student, StudentEncoder
from ml.types import Encoder, FloatArray
from reports.enums import EncoderState
from reports.models import LearntEncoder

logger = logging.getLogger(__name__)

# Settings with which an encoder is learnt every night: to do as the model does, or to see more with the model.
LEARNING: Final = ("auto", "minilm")


@dataclass(frozen=True, slots=True)
class Reading:
    """What clustering needs of a batch of texts."""

    vectors: FloatArray
    guards: list[str]
    languages: tuple[str, ...] | None


_students: dict[str, StudentEncoder] = {}
_unusable: set[str] = set()  # learnt encoders that this process could not read: said once, not tried again
_references: dict[str, FloatArray] = {}
_readers: dict[str, TextReader] = {}


def the_encoder() -> Encoder:
    """Return the encoder this installation uses: the student in use where there is one, otherwise the setting's.

    Queries: one where the setting lets the installation choose.
    """
    if settings.ENCODER in LEARNING:
        name = LearntEncoder.objects.filter(state=EncoderState.ACTIVE).values_list("name", flat=True).first()
        student = fitting_student(name) if name is not None else None
        if student is not None:
            return student
    return encoder_of_setting()


def encoder_of_setting() -> Encoder:
    """Return the encoder that is used without a student."""
    if settings.ENCODER == "multilingual":
        return load_encoder("multilingual", folder=model_folder())
    return load_encoder(settings.ENCODER)


def model_folder() -> Path | None:
    """Return the folder with a sentence model of the operator's, None where none is named."""
    return Path(settings.ENCODER_FOLDER) if settings.ENCODER_FOLDER else None


def usable_student(name: str) -> StudentEncoder | None:
    """Return a learnt encoder, read once a process; None where it can't be used here.

    That is so where its weights are damaged, or were deleted a moment ago, or where it was fitted beside static vectors
    that are not installed here. Queries: one at the first call.
    """
    if name in _unusable:
        return None
    if name not in _students:
        try:
            stored = LearntEncoder.objects.values_list("weights", flat=True).get(name=name)
            student = StudentEncoder(Student.from_bytes(bytes(stored)))
        except (EncoderUnavailableError, ImportError, LearntEncoder.DoesNotExist, ValueError) as error:
            _unusable.add(name)
            logger.error("The learnt encoder %s can't be used (%s); the one of the setting is.", name, error)
            return None
        _students.clear()  # 2 to 4 MB each, and one is in use
        _students[name] = student
    return _students[name]


def fitting_student(name: str) -> StudentEncoder | None:
    """Return a learnt encoder that can be used and goes with the setting: reads with the model, or does without it."""
    student = usable_student(name)
    fits = student is not None and student.reads_with_model == (settings.ENCODER == "minilm")
    return student if fits else None


def forget_students() -> None:
    """Read learnt encoders anew: for a process that changes its database."""
    _students.clear()
    _unusable.clear()


def reference_of(encoder: Encoder) -> FloatArray:
    """Return the vectors that stand in for a service's own texts while these are few."""
    if encoder.name not in _references:
        _references[encoder.name] = reference_vectors(encoder)
    return _references[encoder.name]


def read_texts(encoder: Encoder, texts: Sequence[str], *, names: frozenset[str] = frozenset()) -> Reading:
    """Encode texts, those read lately from memory; `names` are those the service knows."""
    if encoder.name not in _readers:
        _readers.clear()  # of another encoder nothing is needed any more
        _readers[encoder.name] = TextReader(encoder)
    vectors, guards = _readers[encoder.name].read(texts, names=names)
    return Reading(vectors=vectors, guards=guards, languages=spoken(encoder, texts))


def spoken(encoder: Encoder, texts: Sequence[str]) -> tuple[str, ...] | None:
    """Return the texts' languages where the encoder knows many: only there does each have a mean of its own."""
    return tuple(languages_of(texts)) if is_multilingual(encoder) else None
