"""A student on trial: fitted on some texts, measured on others, and the verdict whether to use it.

Invariant: what is measured was not fitted on, and both a student and the encoder it would replace are measured on the
same texts against the same teacher. Not here: the figures of the verdict (`student`), and where texts come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ml.denoise import denoised
from ml.encoders import EncoderUnavailableError, StaticEncoder, load_encoder, load_teacher
from ml.languages import languages_of
from ml.multilingual import is_multilingual
from ml.sentence_models import SideBySide
from ml.student import (
    AGREEMENT_TO_SWITCH_ON,
    N_LETTER_DIMS,
    N_WORD_DIMS,
    Student,
    StudentEncoder,
    agreement,
    fit_student,
)
from ml.text import normalise
from ml.types import Encoder, FloatArray

# By how much a student must agree better with its teacher than the encoder it would replace. On either half, 1,700
# texts and more fitted: Banking77, where students group better, .05 to .07; English + Arabic .19 to .21; News-T, where
# they lose, -.03 to .00.
CLEARLY_BETTER: Final = 0.03
# From this share of texts in other languages than English on, a teacher of many languages is worth its time, which is
# five to ten times that of the English one.
OTHER_LANGUAGES: Final = 0.1
# A teacher's vectors are asked for in pieces of this size: about two seconds each, so that progress can be told.
CHUNK_TEXTS: Final = 512


@dataclass(frozen=True, slots=True)
class Trial:
    """A student and how it did.

    Attributes
    ----------
    student : Student
    encoder : StudentEncoder
        The same, ready to use.
    n_texts : int
        Texts it was fitted on.
    agreement : float
        With its teacher on the fresh texts, see `ml.student.agreement`. Of a student whose features hold the teacher,
        that of one that has to do without: nobody can disagree with what he reads.
    agreement_instead : float
        The same of the encoder that it would replace, again without the teacher.
    agreement_in_use : float
        What `encoder` itself will be measured by; other than `agreement` only where its features hold the teacher.
    fresh_vectors : ndarray of shape (n_fresh, d), float32
        The teacher's vectors of the fresh texts, for whoever wants to measure another student on them.
    fresh_languages : tuple of str of length n_fresh, optional
        Their languages, where the teacher knows many.
    """

    student: Student
    encoder: StudentEncoder
    n_texts: int
    agreement: float
    agreement_instead: float
    agreement_in_use: float
    fresh_vectors: FloatArray
    fresh_languages: tuple[str, ...] | None = None

    @property
    def is_worth_it(self) -> bool:
        """Whether the student is to be used."""
        return self.agreement >= AGREEMENT_TO_SWITCH_ON and self.agreement >= self.agreement_instead + CLEARLY_BETTER


def try_student(
    texts: Sequence[str],
    fresh: Sequence[str],
    *,
    teacher: Encoder,
    instead: Encoder,
    n_word_dims: int = N_WORD_DIMS,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """Fit a student on some texts and measure it on others.

    Parameters
    ----------
    texts, fresh : sequence of str
        To fit on, and to measure on; no text in both.
    teacher : Encoder
    instead : Encoder
        What is used without a student. If these are the static vectors, or the teacher with them beside it, they are
        among the student's features.
    n_word_dims : int
        See `ml.student.fit_student`.
    progress : callable, optional
        Called now and then with the number of texts that the teacher has read and has to read.

    Returns
    -------
    Trial

    Raises
    ------
    ValueError
        If nothing can be learnt from the texts, see `ml.student.fit_student`.

    Notes
    -----
    Cost: the teacher's on all texts, which is most of it (twice where it is among the features), and that of
    `denoised`, `fit_student` and `agreement`.

    Whether a site's fresh texts are like those learnt from is what decides, and it shows in a student that has to do
    without the teacher. (B-cubed of learning beside MiniLM against MiniLM by itself, other half: Banking77 .589 and
    .583, of ids 4 % change instead of 10 %; News-T .77 and .84, and there the verdict is no.)

    Examples
    --------
    >>> from ml.encoders import HashingEncoder
    >>> teacher, instead = HashingEncoder(64), HashingEncoder(16)
    >>> texts = [f"{what} {how}" for what in ("login", "card", "parcel") for how in ("fails", "late", "slow", "again")]
    >>> trial = try_student(texts[1:], texts[:1], teacher=teacher, instead=instead, n_word_dims=128)
    >>> trial.n_texts, trial.encoder.n_dims, trial.is_worth_it  # a single text shows nothing
    (11, 64, False)
    """
    n_all = len(texts) + len(fresh)

    def read(part: Sequence[str], n_before: int) -> FloatArray:
        rows = []
        for start in range(0, len(part), CHUNK_TEXTS):
            rows.append(teacher.encode(part[start : start + CHUNK_TEXTS]))
            if progress is not None:
                progress(n_before + min(start + CHUNK_TEXTS, len(part)), n_all)
        return np.concatenate(rows) if rows else np.zeros((0, teacher.n_dims), dtype=np.float32)

    fresh_vectors = read(fresh, 0)
    vectors = read(texts, len(fresh))
    spoken = tuple(languages_of(fresh)) if is_multilingual(teacher) else None

    def measured(encoder: Encoder) -> float:
        return agreement(encoder.encode(fresh), fresh_vectors, spoken)

    student = taught(texts, vectors, teacher=teacher, instead=instead, n_word_dims=n_word_dims)
    encoder = without_teacher = StudentEncoder(student)
    in_use = measured(encoder)
    if _holds(instead, teacher):
        instead = load_encoder("auto")
        without_teacher = StudentEncoder(
            taught(texts, vectors, teacher=teacher, instead=instead, n_word_dims=n_word_dims)
        )
    return Trial(
        student=student,
        encoder=encoder,
        n_texts=len(texts),
        agreement=in_use if without_teacher is encoder else measured(without_teacher),
        agreement_instead=measured(instead),
        agreement_in_use=in_use,
        fresh_vectors=fresh_vectors,
        fresh_languages=spoken,
    )


def taught(
    texts: Sequence[str],
    teacher_vectors: FloatArray,
    *,
    teacher: Encoder,
    instead: Encoder,
    n_word_dims: int = N_WORD_DIMS,
) -> Student:
    """The student that these texts make of a teacher.

    Parameters
    ----------
    texts : sequence of str, length n
    teacher_vectors : ndarray of shape (n, d), float32
    teacher, instead : Encoder
        As for `try_student`.
    n_word_dims : int
        See `ml.student.fit_student`.

    Returns
    -------
    Student

    Raises
    ------
    ValueError
        As for `ml.student.fit_student`.

    Notes
    -----
    Cost: that of `ml.denoise.denoised` and `ml.student.fit_student`. Of a teacher of many languages, these are brought
    together, and as their words bend more, letter groups are among the features.

    Examples
    --------
    >>> from ml.encoders import HashingEncoder
    >>> texts = ["no power", "login fails", "power is out", "cannot log in"]
    >>> vectors = HashingEncoder(64).encode(texts)
    >>> taught(texts, vectors, teacher=HashingEncoder(64), instead=HashingEncoder(16), n_word_dims=128).weights.shape
    (129, 64)
    """
    many = is_multilingual(teacher)
    return fit_student(
        texts,
        denoised(teacher_vectors, languages_of(texts) if many else None),
        teacher=teacher.name,
        base=instead if isinstance(instead, StaticEncoder) or _holds(instead, teacher) else None,
        n_word_dims=n_word_dims,
        n_letter_dims=N_LETTER_DIMS if many else 0,
    )


def _holds(encoder: Encoder, teacher: Encoder) -> bool:
    return isinstance(encoder, SideBySide) and encoder.holds(teacher.name)


def teacher_of(texts: Sequence[str], *, folder: Path | None = None) -> Encoder:
    """The teacher to learn from on these texts, of those that are installed.

    Parameters
    ----------
    texts : sequence of str
    folder : pathlib.Path, optional
        A model of the operator's; where it is given, it is the one.

    Returns
    -------
    Encoder

    Raises
    ------
    EncoderUnavailableError
        If none is installed.

    Notes
    -----
    Cost: that of `ml.languages.languages_of` and of loading the teacher.

    Examples
    --------
    >>> teacher_of(["no power", "login fails"]).name
    'minilm-l6-v2-int8-v1'
    """
    if folder is not None:
        return load_teacher("multilingual", folder=folder)
    if sum(language not in ("en", "") for language in languages_of(texts)) > OTHER_LANGUAGES * len(texts):
        try:
            return load_teacher("multilingual")
        except EncoderUnavailableError:
            pass  # its trial will tell whether the English one is of use all the same
    return load_teacher("minilm")


def distinct(texts: Iterable[str]) -> list[str]:
    """The texts that say something, each wording once, where it came first.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of str
        In their order; two are the same wording if they are the same once normalised.

    Notes
    -----
    Cost O(total characters).

    Examples
    --------
    >>> distinct(["No power", "", "no POWER", "login fails"])
    ['No power', 'login fails']
    """
    first: dict[str, str] = {}
    for text in texts:
        if wording := normalise(text):
            first.setdefault(wording, text)
    return list(first.values())
