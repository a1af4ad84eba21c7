"""A student: a linear map from cheap features of a text to the vector a sentence model (its teacher) would give.

Fitted by ridge regression on a site's own recent texts and the teacher's vectors of them, without labels, so that the
wording of that site gets the teacher's judgement at the speed of counting words. Invariant: a student is plain arrays;
the same student gives the same vectors on every machine, and its name tells it from every other one, so vectors of two
students are never compared. Not here: where students are kept, when they are fitted, and who switches them on.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from ml.denoise import without_means
from ml.encoders import EncoderUnavailableError, StaticEncoder, load_encoder
from ml.hashing import Terms, comparable, unit_rows, unit_sparse_rows
from ml.types import BoolArray, Encoder, FloatArray

# Fitted on the first quarter of Banking77 and scored on the second, at the best cut of average linkage: B-cubed .580 at
# 4,096 places and a ridge of 0.3, .561-.575 for ridges of 0.1 and 1 and for 2,048 places; the teacher itself .59, the
# static vectors alone .51. A ridge of 3 costs .01 to .02.
N_WORD_DIMS: Final = 4_096
RIDGE: Final = 0.3
# For a teacher of many languages, whose words bend more: letter groups besides.
N_LETTER_DIMS: Final = 2_048
# Value of the feature that every text has; it carries what all the teacher's vectors have in common.
CONSTANT: Final = 0.5
# Texts taken at once, so that the features of all of them never stand in memory together.
CHUNK_TEXTS: Final = 1_024
FORMAT: Final = b"OCS2"
# Of the directions in which the fitted vectors lie, so many are kept. On Banking77 they hold 99.8 % of the squared
# length, B-cubed is the same within .003 (64: within .002), and comparing costs a third.
N_DIMS: Final = 128
# Of `agreement`, on 300 fresh texts of either half. Students that group better than the static vectors: Banking77 .91,
# English + Arabic (teachers of many languages) .81 to .84; one that groups worse: English + Arabic with an English
# teacher, .63. What tells that News-T's students lose (.91 to .94) is the static vectors' own figure, `ml.trial`.
AGREEMENT_TO_SWITCH_ON: Final = 0.75
# Figures of two halves differ by .02; a gap of that width keeps a student from flickering.
AGREEMENT_TO_KEEP: Final = 0.72
# Nearest neighbours compared: about as many as a problem has reports in a quiet hour.
N_NEIGHBOURS: Final = 10
MAX_COMPARED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Student:
    """What is learnt, and from which features.

    Attributes
    ----------
    teacher : str
        Name of the teacher's encoder.
    base : str
        Name of the encoder whose vectors are among the features; "" where there is none. It may hold the teacher: then
        what is learnt is not to do without it, but to see what it sees with the wording taken out.
    n_word_dims, n_letter_dims : int
        Places of the hashed words and pairs, and of the hashed letter groups; 0 leaves a kind out.
    weights : ndarray of shape (n_features, d), float16
        Row by row for the base's dimensions, words, letters and the constant. d is at most `N_DIMS`.
    """

    teacher: str
    base: str
    n_word_dims: int
    n_letter_dims: int
    weights: np.ndarray[tuple[int, int], np.dtype[np.float16]]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell this student from all others."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def to_bytes(self) -> bytes:
        """Everything in one piece: about 1.1 MB.

        Returns
        -------
        bytes
            Same student, same bytes.
        """
        head = json.dumps(
            {
                "teacher": self.teacher,
                "base": self.base,
                "n_word_dims": self.n_word_dims,
                "n_letter_dims": self.n_letter_dims,
                "shape": list(self.weights.shape),
            },
            sort_keys=True,
        ).encode()
        return FORMAT + struct.pack("<I", len(head)) + head + self.weights.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Student:
        """The student that `to_bytes` wrote.

        Parameters
        ----------
        stored : bytes

        Returns
        -------
        Student

        Raises
        ------
        ValueError
            If these are not the bytes of a student, or not all of them.
        """
        start = len(FORMAT) + 4
        if len(stored) < start or not stored.startswith(FORMAT):
            raise ValueError(f"not a stored student: {len(stored)} bytes that begin with {stored[:4]!r}; fit it anew")
        (n_head,) = struct.unpack("<I", stored[len(FORMAT) : start])
        try:
            head = json.loads(stored[start : start + n_head])
            weights = np.frombuffer(stored[start + n_head :], dtype="<f2").reshape(head["shape"]).astype(np.float16)
            return cls(head["teacher"], head["base"], head["n_word_dims"], head["n_letter_dims"], weights)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"a stored student is damaged ({error}); fit it anew") from error


class StudentEncoder:
    """A student behind the protocol of `ml.types.Encoder`.

    Parameters
    ----------
    student : Student

    Raises
    ------
    EncoderUnavailableError
        If the student was fitted on features of an encoder that is not installed here, or only in another version.
    ValueError
        If the number of weights does not fit the features.

    Notes
    -----
    Cost O(total characters + non-zero features × d): about 15,000 short texts a second on one core without letter
    groups. Rows are of unit length; a text without a known feature is an all-zero row.

    Examples
    --------
    >>> texts = ["cannot log in", "login fails", "parcel is late", "parcel never came"]
    >>> like_a_teacher = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    >>> encoder = StudentEncoder(fit_student(texts, like_a_teacher, teacher="example", n_word_dims=256))
    >>> vectors = encoder.encode(["login", "where is my parcel", ""])
    >>> vectors.shape
    (3, 2)
    >>> bool(vectors[0, 0] > vectors[0, 1] and vectors[1, 1] > vectors[1, 0])
    True
    """

    def __init__(self, student: Student) -> None:
        self._base = _base_encoder(student.base)
        n_base = self._base.n_dims if self._base is not None else 0
        n_features = n_base + student.n_word_dims + student.n_letter_dims + 1
        if len(student.weights) != n_features:
            raise ValueError(f"the student has weights for {len(student.weights)} features, not for {n_features}")
        self._student = student
        self._weights = student.weights.astype(np.float32)
        self.n_dims = int(student.weights.shape[1])
        # 80 characters are kept of an encoder's name where vectors are stored.
        self.name = f"student-{student.digest}-of-{student.teacher}"[:80]
        self.reads_with_model = "+" in student.base

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        clean = comparable(texts)
        base, counts, known = _features(clean, self._base, self._student.n_word_dims, self._student.n_letter_dims)
        n_base = base.shape[1]
        rows: FloatArray = base @ self._weights[:n_base] + counts @ self._weights[n_base:-1]
        rows += np.float32(CONSTANT) * self._weights[-1]
        rows[~known] = 0.0
        return unit_rows(rows)


def fit_student(
    texts: Sequence[str],
    teacher_vectors: FloatArray,
    *,
    teacher: str,
    base: Encoder | None = None,
    n_word_dims: int = N_WORD_DIMS,
    n_letter_dims: int = 0,
    ridge: float = RIDGE,
    n_dims: int = N_DIMS,
) -> Student:
    """The linear map from cheap features to the teacher's vectors that errs least on these texts.

    Parameters
    ----------
    texts : sequence of str, length n
        A site's own recent texts, no labels; distinct ones teach most. Some thousands are wanted, see `agreement`.
    teacher_vectors : ndarray of shape (n, d), float32
        What the teacher gives for each; all-zero rows (texts unknown to it) teach nothing and are passed over.
    teacher : str
        Name of the teacher's encoder; see `ml.encoders.load_teacher`.
    base : Encoder, optional
        Its vectors then are features as well. Only what `load_encoder` gives by the names "static" and "minilm" can be
        found again later.
    n_word_dims, n_letter_dims : int
        Places for hashed words and pairs, and for hashed letter groups; 0 leaves a kind out.
    ridge : float
        Added to the diagonal of the normal equations; positive. Larger trusts the texts less.
    n_dims : int
        At least 1. Of more dimensions than these only the leading directions of the fitted vectors are kept.

    Returns
    -------
    Student

    Raises
    ------
    ValueError
        If lengths differ, nothing can be learnt from (no text known to both sides), or a number is out of range.

    Notes
    -----
    Cost O(n f² + f³) for f features: about 3 s and 250 MB for 6,500 texts and 4,353 features on one core.

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970). Ridge regression: biased estimation for nonorthogonal problems.
    doi:10.1080/00401706.1970.10488634

    Examples
    --------
    >>> student = fit_student(["no power", "slow"], np.eye(2, dtype=np.float32), teacher="example", n_word_dims=64)
    >>> student.weights.shape
    (65, 2)
    """
    if teacher_vectors.ndim != 2 or len(texts) != len(teacher_vectors):
        raise ValueError(f"{len(texts)} texts do not go with teacher vectors of shape {teacher_vectors.shape}")
    if not ridge > 0.0:
        raise ValueError(f"ridge must be positive, not {ridge}")
    if n_dims < 1:
        raise ValueError(f"n_dims must be at least 1, not {n_dims}")
    n_base = base.n_dims if base is not None else 0
    n_features = n_base + n_word_dims + n_letter_dims + 1
    gram = np.zeros((n_features, n_features), dtype=np.float32)
    moment = np.zeros((n_features, teacher_vectors.shape[1]), dtype=np.float32)
    n_known = 0
    for start in range(0, len(texts), CHUNK_TEXTS):
        targets = teacher_vectors[start : start + CHUNK_TEXTS]
        rows, counts, known = _features(
            comparable(texts[start : start + CHUNK_TEXTS]), base, n_word_dims, n_letter_dims
        )
        keep = known & targets.any(axis=1)
        constant = np.full((len(rows), 1), CONSTANT, dtype=np.float32)
        features = np.hstack((rows, counts.toarray(), constant))[keep]
        gram += features.T @ features
        moment += features.T @ targets[keep]
        n_known += int(keep.sum())
    if not n_known:
        raise ValueError(f"none of {len(texts)} texts is known to both the teacher and the student")
    diagonal = gram[np.diag_indices_from(gram)].copy()
    gram[np.diag_indices_from(gram)] += np.float32(ridge)
    weights: FloatArray = scipy.linalg.solve(gram, moment, assume_a="pos", overwrite_b=True)
    if weights.shape[1] > n_dims:
        gram[np.diag_indices_from(gram)] = diagonal
        weights = weights @ _leading(weights.T @ (gram @ weights), n_dims)
    return Student(
        teacher, base.name if base is not None else "", n_word_dims, n_letter_dims, weights.astype(np.float16)
    )


def agreement(
    student_vectors: FloatArray, teacher_vectors: FloatArray, languages: Sequence[str] | None = None
) -> float:
    """How far the texts that a student takes for the nearest are near in its teacher's eyes.

    For the average text: the mean cosine, by the teacher, to the `N_NEIGHBOURS` texts that the student has nearest; on
    a scale on which any texts have 0 and the teacher's own nearest have 1. Mean vectors are out of both. So a student
    that draws together what says the same is not blamed for the order among these, which no teacher means. Use texts
    that the student was not fitted on. It is worth switching on from `AGREEMENT_TO_SWITCH_ON` on, and only if it also
    agrees better with the teacher than the encoder it would replace; it is worth keeping down to `AGREEMENT_TO_KEEP`.

    Parameters
    ----------
    student_vectors, teacher_vectors : ndarray of shape (n, d) and (n, e), float32
        Of the same texts, in the same order. Texts unknown to either side and all but one of exact duplicates are
        passed over; of more than `MAX_COMPARED` an evenly spaced part is compared.
    languages : sequence of str of length n, optional
        Of the texts, where the teacher knows many: to a teacher, texts of one language are alike before anything else.

    Returns
    -------
    float
        In [0, 1]. 0.0 where fewer than `2 * N_NEIGHBOURS` texts are left, because nothing speaks for a student then.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    Notes
    -----
    Cost O(m² (d + e)) for m compared texts: about 0.3 s for 2,000.

    References
    ----------
    Venna, J., Kaski, S. (2001). Neighborhood preservation in nonlinear projection methods. doi:10.1007/3-540-44668-0_68

    Examples
    --------
    >>> vectors = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    >>> agreement(vectors, vectors)
    1.0
    >>> agreement(vectors, vectors[::-1]) < 0.2
    True
    """
    if len(student_vectors) != len(teacher_vectors):
        raise ValueError(f"{len(student_vectors)} rows of the student do not go with {len(teacher_vectors)}")
    known = np.flatnonzero(student_vectors.any(axis=1) & teacher_vectors.any(axis=1))
    _, first = np.unique(teacher_vectors[known], axis=0, return_index=True)
    known = known[np.sort(first)]
    if len(known) < 2 * N_NEIGHBOURS:
        return 0.0
    if len(known) > MAX_COMPARED:
        known = known[np.linspace(0, len(known) - 1, MAX_COMPARED).astype(np.int64)]
    spoken = None if languages is None else [languages[i] for i in known.tolist()]
    theirs = _cosines(teacher_vectors[known], spoken)
    by_chance = float(theirs[~np.eye(len(known), dtype=np.bool_)].mean())
    best = _nearness(theirs, theirs) - by_chance
    if best < 1e-6:  # to the teacher all are alike, but for rounding
        return 0.0
    return float(np.clip((_nearness(_cosines(student_vectors[known], spoken), theirs) - by_chance) / best, 0.0, 1.0))


def _cosines(vectors: FloatArray, languages: Sequence[str] | None) -> FloatArray:
    rows = without_means(unit_rows(vectors - vectors.mean(axis=0)), languages)
    return rows @ rows.T


def _nearness(ordering: FloatArray, judging: FloatArray) -> float:
    """Mean of `judging` over each text's nearest others by `ordering`."""
    others = ordering.copy()
    np.fill_diagonal(others, -np.inf)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, :N_NEIGHBOURS]
    return float(np.take_along_axis(judging, nearest, axis=1).mean())


def _leading(moment: FloatArray, n_dims: int) -> FloatArray:
    """The leading directions of a second moment, as columns; of each the sign whose largest entry is positive, so that
    the same texts give the same student wherever they are fitted."""
    _, axes = np.linalg.eigh(moment.astype(np.float64))
    leading = axes[:, ::-1][:, :n_dims]
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(n_dims)])
    found: FloatArray = (leading * signs).astype(np.float32)
    return found


def _features(
    clean: list[str], base: Encoder | None, n_word_dims: int, n_letter_dims: int
) -> tuple[FloatArray, sp.csr_array, BoolArray]:
    """Dense and sparse features of normalised texts, and which texts have any at all."""
    if isinstance(base, StaticEncoder):
        dense = base.encode_comparable(clean)
    else:
        dense = base.encode(clean) if base is not None else np.zeros((len(clean), 0), dtype=np.float32)
    parts = [sp.csr_array((len(clean), 0), dtype=np.float32)]
    terms = Terms(clean)
    if n_word_dims:
        parts.append(unit_sparse_rows(terms.sparse(n_word_dims, unit="words")))
    if n_letter_dims:
        parts.append(unit_sparse_rows(terms.sparse(n_letter_dims, unit="letters")))
    counts = sp.csr_array(sp.hstack(parts, format="csr", dtype=np.float32))
    known: BoolArray = dense.any(axis=1) | (np.diff(counts.indptr) > 0)
    return dense, counts, known


def _base_encoder(name: str) -> Encoder | None:
    if not name:
        return None
    base = load_encoder("minilm" if "+" in name else "static")  # a model and the static vectors, or these alone
    if base.name != name:
        raise EncoderUnavailableError(
            f"the student was fitted on vectors of {name}, but {base.name} is installed; fit it anew"
        )
    return base
