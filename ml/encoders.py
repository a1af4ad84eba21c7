"""Texts to vectors, in tiers behind one protocol: `hashing` (no model), `static` (token embeddings from a wheel), and
the sentence models `minilm` and `multilingual` (an extra, or a folder of the operator's).

Invariant: stateless and offline. The same text gives the same vector on every machine, alone or in a batch, and
nothing here ever opens a network connection. Not here: what is learnt from a site's own reports (`student`), and the
running of sentence models (`sentence_models`).
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ml.hashing import MAX_CHARACTERS, Terms, comparable, unit_rows
from ml.multilingual import e5_encoder, universal_encoder
from ml.reference_texts import REFERENCE_TEXTS
from ml.sentence_models import EncoderUnavailableError, SideBySide, folder_encoder, minilm_encoder
from ml.text import plain_words
from ml.types import Encoder, FloatArray

__all__ = [
    "EncoderName",
    "EncoderUnavailableError",
    "HashingEncoder",
    "StaticEncoder",
    "forget_teachers",
    "load_encoder",
    "load_teacher",
    "reference_vectors",
]

IdArray = npt.NDArray[np.int32]
EncoderName = Literal["auto", "static", "hashing", "minilm", "multilingual"]

# Files of the `wordllama` wheel (0.3.x). `WordLlama.load()` is not used: it looks for the tokenizer online although
# the wheel holds it, and importing the package configures the root logger.
_STATIC_TOKENIZER: Final = Path("tokenizers") / "l2_supercat_tokenizer_config.json"
_STATIC_WEIGHTS: Final = Path("weights") / "l2_supercat_256.safetensors"
# Beside a sentence model stand the static vectors of the words: names, products and codes that the model has never met
# are told apart by them. Chosen on the first halves: Banking77, MiniLM alone .546, with static vectors of half its
# length .585, of the same length .564, with hashed words .560; News-T .834, .840, .781, .812.
WORDS_BESIDE: Final = 0.5
# Beside what the tokens of a text mean stands which they are: by that names and rare words are told apart. Chosen on
# the first halves, B-cubed of Banking77 and News-T: without .484, .848; at .4 of the length .479, .861; at half of it
# .470, .866. With 128 dimensions .477, .866, and everything takes a tenth longer; with 32 .473, .860. Hashed into the
# 256 dimensions of the meanings themselves it does harm (.464, .841).
N_TOKEN_DIMS: Final = 64
TOKENS_BESIDE: Final = 0.4
# Words whose tokens are remembered: some 20 MB.
MOST_WORDS: Final = 100_000
FEW_TEXTS: Final = 4
_WORD_BEGINS: Final = "\u2581"  # in this vocabulary
_OTHER_SCRIPTS: Final = "\u0530"  # Armenian, Hebrew, Arabic, the scripts of India, Thai, Han and all that follow


class HashingEncoder:
    """Signed feature hashing of words, word pairs and character n-grams: no model, no vocabulary, every language.

    Hashing with random signs into `n_dims` places keeps inner products right on average, so it is the projection to
    dense vectors at once. Counts enter by their square root: the second mention of a word says less than the first.

    Parameters
    ----------
    n_dims : int, default 512
        At least 2. The standard error of an inner product of two unit vectors is about `1 / sqrt(n_dims)`.

    Notes
    -----
    Cost O(total characters). About 80,000 short texts a second on one core.

    References
    ----------
    Weinberger, K. et al. (2009). Feature hashing for large scale multitask learning. doi:10.1145/1553374.1553516

    Examples
    --------
    >>> vectors = HashingEncoder().encode(["login fails", "LOGIN fails!", "slow video", ""])
    >>> vectors.shape
    (4, 512)
    >>> bool(vectors[0] @ vectors[1] > 0.9 > vectors[0] @ vectors[2])
    True
    >>> float(abs(vectors[3]).sum())
    0.0
    """

    def __init__(self, n_dims: int = 512) -> None:
        if n_dims < 2:
            raise ValueError(f"n_dims must be at least 2, not {n_dims}")
        self.name = f"hashing-{n_dims}-v2"
        self.n_dims = n_dims

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        return self.encode_comparable(comparable(texts))

    def encode_comparable(self, clean: list[str]) -> FloatArray:
        """As `encode`, of texts that `ml.hashing.comparable` has seen already."""
        terms = Terms(clean)
        words = unit_rows(terms.dense(self.n_dims, unit="words"))
        letters = unit_rows(terms.dense(self.n_dims, unit="letters"))
        # Either half weighs the same, however many n-grams a text has.
        return unit_rows(words + letters)


class StaticEncoder:
    """WordLlama: mean of 256-dimensional token embeddings, read from the wheel's own files; and beside it, in 64
    dimensions more, the tokens themselves, hashed with random signs.

    Texts in scripts beyond Latin, Greek and Cyrillic, of which the vocabulary knows letters or bytes only, are hashed
    into the same space (Banking77 English + Arabic, first half: B-cubed .19 to .25).

    Parameters
    ----------
    folder : pathlib.Path, optional
        Where the package's `tokenizers` and `weights` folders are; by default the installed `wordllama` package.

    Raises
    ------
    EncoderUnavailableError
        If the package or one of its two files is missing.

    Notes
    -----
    Loading takes about 0.2 s and 40 MB. Cost O(total tokens), about 200,000 short texts a second on one core.
    The package is MIT; its weights derive from Llama-2 token embeddings, whose licence is named in `docs/licences.md`.

    References
    ----------
    Miller, D. L. (2024). WordLlama: recycled token embeddings from large language models.
    https://github.com/dleemiller/WordLlama
    Weinberger, K. et al. (2009). Feature hashing for large scale multitask learning. doi:10.1145/1553374.1553516

    Examples
    --------
    >>> vectors = StaticEncoder().encode(["cannot log in", "login does not work", "parcel is late"])
    >>> vectors.shape
    (3, 320)
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """

    def __init__(self, folder: Path | None = None) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        folder = folder or _wordllama_folder()
        for file in (_STATIC_TOKENIZER, _STATIC_WEIGHTS):
            if not (folder / file).is_file():
                raise EncoderUnavailableError(
                    f"the static encoder needs {folder / file}; reinstall wordllama or use the hashing encoder"
                )
        self._tokenizer = Tokenizer.from_file(str(folder / _STATIC_TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        meanings: FloatArray = load_file(folder / _STATIC_WEIGHTS)["embedding.weight"].astype(np.float32)
        self._n_meanings = int(meanings.shape[1])
        self._embedding = np.hstack([meanings, _hashed_tokens(len(meanings), N_TOKEN_DIMS)])
        self.n_dims = int(self._embedding.shape[1])
        self.name = f"wordllama-l2-supercat-{self._n_meanings}-tokens-{N_TOKEN_DIMS}-v4"
        self._of_other_scripts: HashingEncoder | None = None
        # Tokens of words, int32; bytes are joined at once, and take less room than numbers. Of plain words once more:
        # a text of these alone need not be normalised first.
        self._ids_of_word: dict[str, bytes] = {}
        self._ids_of_plain: dict[str, bytes] = {}

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """See `ml.types.Encoder.encode`."""
        return self._encoded([text[:MAX_CHARACTERS] for text in texts], is_clean=False)

    def encode_comparable(self, clean: list[str]) -> FloatArray:
        """As `encode`, of texts that `ml.hashing.comparable` has seen already."""
        return self._encoded(clean, is_clean=True)

    def _encoded(self, texts: list[str], *, is_clean: bool) -> FloatArray:
        foreign: dict[int, str] = {}
        rows = [row for row, text in enumerate(texts) if not text.isascii()]
        if rows:
            clean = [texts[row] for row in rows] if is_clean else comparable([texts[row] for row in rows])
            foreign = {row: text for row, text in zip(rows, clean, strict=True) if _is_in_other_script(text)}
            texts = texts.copy()
            for row, text in zip(rows, clean, strict=True):
                # Their tokens, of which such words have many, are not asked for.
                texts[row] = "" if row in foreign else text
        ids = self._ids(texts, is_clean=is_clean)
        tokens = np.frombuffer(b"".join(ids), dtype=np.int32)
        starts = np.zeros(len(texts) + 1, dtype=np.int32)
        starts[1:] = np.cumsum([len(row) // tokens.itemsize for row in ids])
        vectors = self._unit(self._sums(tokens, starts))
        if foreign:
            # Hashed into the same space: to the texts of the vocabulary they are as unlike as chance, and to each
            # other as like as their words are.
            vectors[list(foreign)] = self._hashing().encode_comparable(list(foreign.values()))
        return vectors

    def _unit(self, sums: FloatArray) -> FloatArray:
        """The sums, in place, as unit rows in which either part has its share of the length.

        The signs of two tokens may cancel, and then what they mean is all there is.
        """
        parts = sums[:, : self._n_meanings], sums[:, self._n_meanings :]
        lengths = [np.sqrt(np.einsum("ij,ij->i", part, part)) for part in parts]
        shares = [np.float32(1.0) * (lengths[0] > 0), np.float32(TOKENS_BESIDE) * (lengths[1] > 0)]
        whole = np.hypot(*shares)
        for part, length, share in zip(parts, lengths, shares, strict=True):
            part *= np.divide(share, length * whole, out=np.zeros_like(length), where=length > 0)[:, None]
        return sums

    def _sums(self, tokens: IdArray, starts: IdArray) -> FloatArray:
        """The sum of each text's tokens, which points where their mean points."""
        n = len(starts) - 1
        if n <= FEW_TEXTS:
            # What follows takes as long to prepare as ten texts take; each token is added in the same order here.
            sums = np.zeros((n, self.n_dims), dtype=np.float32)
            for row, (begin, end) in enumerate(itertools.pairwise(starts.tolist())):
                np.add.reduce(self._embedding[tokens[begin:end]], axis=0, initial=0.0, out=sums[row])
            return sums
        # As a sparse product it needs no copy of the embeddings of all tokens of the batch, which is 50 times quicker
        # than gathering and adding them up.
        counts = csr_array((np.ones(len(tokens), dtype=np.float32), tokens, starts), shape=(n, len(self._embedding)))
        found: FloatArray = counts @ self._embedding
        return found

    def _ids(self, texts: list[str], *, is_clean: bool) -> list[bytes]:
        """Tokens of each text as bytes of int32.

        A word at a time: no token of this vocabulary reaches over a space, and the same few thousand words make up a
        service's reports. Ten times as quick as asking the tokenizer for each text.
        """
        found: list[bytes] = []
        again: dict[int, list[str]] = {}  # rows with new words
        rest: list[int] = []
        known = self._ids_of_plain.__getitem__
        for row, text in enumerate(texts):
            ids = b""
            if text.isprintable():
                words = text.casefold().split()
                try:
                    ids = b"".join(map(known, words))
                except KeyError:
                    again[row] = words
            else:
                rest.append(row)
            found.append(ids)
        if again:
            self._learn_plain(set(itertools.chain.from_iterable(again.values())))
            for row, words in again.items():
                try:
                    found[row] = b"".join(map(known, words))
                except KeyError:
                    rest.append(row)
        if rest:
            others = [texts[row] for row in rest]
            for row, ids in zip(rest, self._learnt_ids(others if is_clean else comparable(others)), strict=True):
                found[row] = ids
        return found

    def _learn_plain(self, words: set[str]) -> None:
        """Remember the tokens of those words that stay as they are, all at once: most texts need no more than that."""
        # `-` would go through all that are known.
        self._ids_of_plain.update(self._ids_of_words(plain_words(words.difference(self._ids_of_plain))))

    def _learnt_ids(self, clean: list[str]) -> list[bytes]:
        """Tokens of normalised texts; their words are remembered."""
        words = [text.split(" ") for text in clean]
        ids_of = self._ids_of_words(set(itertools.chain.from_iterable(words)))
        return [b"".join(map(ids_of.__getitem__, row)) for row in words]

    def _ids_of_words(self, words: set[str]) -> dict[str, bytes]:
        """Tokens of words, which are remembered."""
        known = self._ids_of_word
        if len(known) > MOST_WORDS:
            known.clear()
            self._ids_of_plain.clear()
        found = {word: known.get(word) for word in words}
        fresh = self._tokenized([word for word, ids in found.items() if ids is None])
        known.update(fresh)
        return {word: fresh[word] if ids is None else ids for word, ids in found.items()}

    def _tokenized(self, words: list[str]) -> dict[str, bytes]:
        """Tokens of words that are new, by the vocabulary's model alone.

        Twice as quick as the whole tokenizer, which notes besides where in the text each token stands. What it does
        before is little: it marks the beginning of a word, and finds its own signs (`<s>`).
        """
        tokenize = self._tokenizer.model.tokenize
        found = {
            word: array("i", [token.id for token in tokenize(f"{_WORD_BEGINS}{word}")]).tobytes()
            for word in words
            if word and "<" not in word
        }
        # Not by `encode_batch`: that starts threads, and they take longer than the few words do.
        for word in words:
            if word not in found:
                encoded = self._tokenizer.encode([word], is_pretokenized=True, add_special_tokens=False)
                found[word] = array("i", encoded.ids).tobytes()
        return found

    def _hashing(self) -> HashingEncoder:
        if self._of_other_scripts is None:
            self._of_other_scripts = HashingEncoder(self.n_dims)
        return self._of_other_scripts


@functools.cache
def load_encoder(name: EncoderName = "auto", *, folder: Path | None = None) -> Encoder:
    """The encoder of that name, loaded once a process.

    Parameters
    ----------
    name : {"auto", "static", "hashing", "minilm", "multilingual"}
        `auto` is `static` where its files are installed, otherwise `hashing`.
    folder : pathlib.Path, optional
        A model of the operator's for `multilingual`, see `ml.sentence_models.folder_encoder`; without it the packages'
        model is used (`ml.multilingual`). The others need none.

    Returns
    -------
    Encoder
        Safe to share between threads.

    Raises
    ------
    EncoderUnavailableError
        If files of the encoder that is asked for are missing.
    ValueError
        If the name is unknown.

    Notes
    -----
    Cost: about 0.1 s (static) or 0.5 s (hashing, minilm) at the first call, nothing later. No network.

    Examples
    --------
    >>> load_encoder("hashing").n_dims
    512
    """
    if name == "hashing":
        return HashingEncoder()
    if name == "static":
        return StaticEncoder()
    if name == "auto":
        try:
            return load_encoder("static")
        except (EncoderUnavailableError, ImportError):
            return load_encoder("hashing")
    if name in ("minilm", "multilingual"):
        model = minilm_encoder() if name == "minilm" else folder_encoder(folder) if folder else universal_encoder()
        # `auto` is `static` or `hashing` here, not yet a student.
        return SideBySide([(model, 1.0), (load_encoder("auto"), WORDS_BESIDE)])
    raise ValueError(f"unknown encoder {name!r}: use auto, static, hashing, minilm or multilingual")


@functools.cache
def load_teacher(name: EncoderName, *, folder: Path | None = None) -> Encoder:
    """The sentence model of that tier without words beside it, or two models: what a student learns from.

    Parameters
    ----------
    name : {"minilm", "multilingual"}
    folder : pathlib.Path, optional
        As for `load_encoder`.

    Returns
    -------
    Encoder
        Its name differs from that of the tier's encoder, for so do its vectors.

    Raises
    ------
    EncoderUnavailableError
        If its files are missing.
    ValueError
        If the tier is no sentence model.

    Notes
    -----
    Cost: as for `load_encoder`; the two share no memory.

    Examples
    --------
    >>> load_teacher("minilm").n_dims
    384
    """
    if name == "minilm":
        return minilm_encoder()
    if name == "multilingual" and folder is not None:
        return folder_encoder(folder)
    if name == "multilingual":
        try:
            return SideBySide([(universal_encoder(), 1.0), (e5_encoder(), 1.0)])
        except EncoderUnavailableError:
            return universal_encoder()
    raise ValueError(f"the encoder {name!r} is no teacher: use minilm or multilingual")


def forget_teachers() -> None:
    """Let go of the memory that teachers take; the next to ask loads them anew.

    Examples
    --------
    >>> forget_teachers()
    """
    load_teacher.cache_clear()
    universal_encoder.cache_clear()
    e5_encoder.cache_clear()


def reference_vectors(encoder: Encoder) -> FloatArray:
    """Vectors of the written examples with which a new service begins (`ml.reference_texts`).

    Parameters
    ----------
    encoder : Encoder

    Returns
    -------
    ndarray of shape (n_reference, encoder.n_dims), float32

    Notes
    -----
    Cost: one encoding of 64 short texts, about 5 ms; keep the result beside the encoder.

    Examples
    --------
    >>> reference_vectors(load_encoder("hashing")).shape
    (64, 512)
    """
    return encoder.encode(REFERENCE_TEXTS)


def _is_in_other_script(text: str) -> bool:
    """Whether most letters are beyond Latin, Greek and Cyrillic, where the vocabulary knows single letters or bytes."""
    if text.isascii():
        return False
    letters = list(filter(str.isalpha, text))
    return 2 * sum(map(_OTHER_SCRIPTS.__le__, letters)) > len(letters)


def _hashed_tokens(n_tokens: int, n_dims: int) -> FloatArray:
    """Each token's place among `n_dims`, hashed from its number, as a row that is 1 or -1 there and 0 elsewhere."""
    mixed = np.arange(n_tokens, dtype=np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # MurmurHash3's last steps, by A. Appleby
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    found = np.zeros((n_tokens, n_dims), dtype=np.float32)
    found[np.arange(n_tokens), mixed % n_dims] = np.where(mixed >> np.uint32(31), -1.0, 1.0)
    return found


def _wordllama_folder() -> Path:
    # For a top-level name `find_spec` finds the package without importing it.
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise EncoderUnavailableError(
            "the static encoder needs the package wordllama; install it or use the hashing encoder"
        )
    return Path(spec.origin).parent
