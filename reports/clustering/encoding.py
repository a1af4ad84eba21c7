"""Which encoder turns this installation's reports into vectors, and what is remembered of texts just read.

Invariant: everything remembered here follows from a text and the encoder alone, so forgetting it changes no result. On
the day of an outage most texts have been typed before. Not here: how a student is learnt (`students`), and what happens
to clusters when the encoder changes (`handover`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.conf import settings

from ml.encoders import load_encoder, reference_vectors
from ml.guards import guard_of
from ml.languages import languages_of
from ml.memory import TextMemory
from ml.student import Student, StudentEncoder
from ml.types import Encoder, FloatArray
from reports.enums import EncoderState
from reports.models import LearntEncoder

REMEMBERED_TEXTS: Final = 20_000  # 20 MB of vectors


@dataclass(frozen=True, slots=True)
class Reading:
    """What clustering needs of a batch of texts."""

    vectors: FloatArray
    guards: list[str]
    languages: tuple[str, ...] | None


_students: dict[str, Encoder] = {}
_references: dict[str, FloatArray] = {}
_vectors: dict[str, TextMemory[FloatArray]] = {}
_guards: TextMemory[str] = TextMemory(lambda texts: [guard_of(text) for text in texts], n_most=REMEMBERED_TEXTS)


def the_encoder() -> Encoder:
    """Return the encoder this installation uses: the student in use where there is one, otherwise the setting's.

    Queries: one where the setting lets the installation choose.
    """
    if settings.ENCODER == "auto":
        name = LearntEncoder.objects.filter(state=EncoderState.ACTIVE).values_list("name", flat=True).first()
        if name is not None:
            return student_named(name)
    return load_encoder(settings.ENCODER)


def student_named(name: str) -> Encoder:
    """Return a learnt encoder, read once a process."""
    if name not in _students:
        stored = LearntEncoder.objects.values_list("weights", flat=True).get(name=name)
        _students[name] = StudentEncoder(Student.from_bytes(bytes(stored)))
    return _students[name]


def reference_of(encoder: Encoder) -> FloatArray:
    """Return the vectors that stand in for a service's own texts while these are few."""
    if encoder.name not in _references:
        _references[encoder.name] = reference_vectors(encoder)
    return _references[encoder.name]


def read_texts(encoder: Encoder, texts: Sequence[str]) -> Reading:
    """Encode texts, those read lately from memory."""
    if encoder.name not in _vectors:
        _vectors.clear()  # of another encoder nothing is needed any more
        _vectors[encoder.name] = TextMemory(lambda fresh: list(encoder.encode(fresh)), n_most=REMEMBERED_TEXTS)
    rows = _vectors[encoder.name](texts)
    return Reading(
        vectors=np.stack(rows) if rows else np.zeros((0, encoder.n_dims), dtype=np.float32),
        guards=_guards(texts),
        languages=spoken(encoder, texts),
    )


def spoken(encoder: Encoder, texts: Sequence[str]) -> tuple[str, ...] | None:
    """Return the texts' languages where the encoder knows many: only there does each have a mean of its own."""
    return tuple(languages_of(texts)) if getattr(encoder, "is_multilingual", False) else None
