"""What part of a service's reports tells of a failure, and whether it is failures that rise.

A service's reports are a mix: failures, and bills, prices, news, talk. When something fails the failures rise; a wave
of talk raises the rest, and what of it is misread as a failure rises with it. So a rise of failures has to stand out by
itself, against the failures that are usual, *and* make up more of the reports than talk does.

Invariant: with nothing learnt every report may tell of a failure, and nothing here is stricter than counting all. Not
here: which report tells of what (`failing`), and the test of a count (`detect`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

HALF_LIFE_HOURS: Final = 4 * 7 * 24.0  # as `baseline`
# Reports all of which tell of a failure, that a service is taken to have had: the cautious end.
PRIOR_REPORTS: Final = 5.0
# No hour teaches more reports than so many times what is usual, nor an hour with an open outage more than so much of
# that: one wave of talk must not become the usual mix.
MOST_OF_USUAL: Final = 4.0
FROZEN_WEIGHT: Final = 0.25
# Failures are watched by themselves where they are a part of the reports that is known and small enough to tell apart.
WATCHED_BELOW: Final = 0.8
KNOWN_FROM_REPORTS: Final = 50.0
# Where both are watched, so much of the budget of false alarms is for failures by themselves, the rest for all reports.
BUDGET_OF_FAILURES: Final = 0.2
MOSTLY: Final = 0.5
# How often chance may take a wave of talk for failures, however long it lasts.
BY_CHANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Mix:
    """How many reports were learnt from, forgotten by and by, and how many of them told of a failure."""

    n_failing: float = 0.0
    n_all: float = 0.0

    @property
    def share(self) -> float:
        """The part of the reports that tells of a failure, in (0, 1].

        Examples
        --------
        >>> Mix().share, Mix(20.0, 95.0).share
        (1.0, 0.25)
        """
        return (self.n_failing + PRIOR_REPORTS) / (self.n_all + PRIOR_REPORTS)

    @property
    def strength(self) -> float:
        """How well the share is known, as a gamma shape (1 / relative variance); infinity where all tell of a failure.

        Examples
        --------
        >>> round(Mix(20.0, 95.0).strength, 1), Mix().strength
        (33.3, inf)
        """
        rest = 1.0 - self.share
        return self.share * (self.n_all + PRIOR_REPORTS) / rest if rest > 0 else float("inf")

    @property
    def is_watched(self) -> bool:
        """Tell whether failures are to be watched by themselves, beside all reports."""
        return self.n_all >= KNOWN_FROM_REPORTS and self.share < WATCHED_BELOW


def learn_mix(
    mix: Mix, failing: npt.ArrayLike, counts: npt.ArrayLike, usual: npt.ArrayLike, frozen: npt.ArrayLike
) -> Mix:
    """Learn closed hours, oldest first.

    Parameters
    ----------
    mix : Mix
        What was learnt until then.
    failing, counts : array-like of shape (n_hours,)
        Reports that tell of a failure, and all, hour by hour.
    usual : array-like of shape (n_hours,)
        How many are usual in each hour.
    frozen : array-like of shape (n_hours,), bool
        Hours with an open outage.

    Returns
    -------
    Mix

    Raises
    ------
    ValueError
        If the shapes differ, or more tell of a failure than there are.

    Notes
    -----
    Cost O(n_hours).

    Examples
    --------
    >>> learned = learn_mix(Mix(), [1, 0, 50], [2, 2, 100], [2, 2, 2], [False, False, False])
    >>> round(learned.n_failing, 1), round(learned.n_all, 1)
    (5.0, 12.0)
    """
    told = np.asarray(failing, dtype=np.float64)
    seen = np.asarray(counts, dtype=np.float64)
    due = np.asarray(usual, dtype=np.float64)
    is_frozen = np.asarray(frozen, dtype=np.bool_)
    if not (told.ndim == 1 and told.shape == seen.shape == due.shape == is_frozen.shape):
        raise ValueError(
            f"all must be of one shape (n_hours,), not {told.shape}, {seen.shape}, {due.shape}, {is_frozen.shape}"
        )
    if (told > seen).any() or (told < 0).any():
        raise ValueError("failing must lie between 0 and counts")
    most = np.maximum(MOST_OF_USUAL * due, 1.0)
    weight = np.minimum(1.0, most / np.maximum(seen, 1.0)) * np.where(is_frozen, FROZEN_WEIGHT, 1.0)
    kept = 0.5 ** (1.0 / HALF_LIFE_HOURS)
    weight = weight * kept ** np.arange(len(seen) - 1, -1, -1, dtype=np.float64)
    before = kept ** len(seen)
    return Mix(
        n_failing=before * mix.n_failing + float((weight * told).sum()),
        n_all=before * mix.n_all + float((weight * seen).sum()),
    )


def are_failures(mix: Mix, *, n_failing: int, n_all: int) -> bool:
    """Tell whether more of an outage's reporters tell of a failure than a wave of talk would bring.

    Surely more than the usual part. Where most of what comes is a failure anyway, or the usual mix is not known yet, a
    half will do: talk can't be told from failures by their share then, and an outage must not wait for it.

    Parameters
    ----------
    mix : Mix
        What is usual.
    n_failing, n_all : int
        Reporters since the outage began.

    Notes
    -----
    It is asked again with every look, of all reports since the beginning. So the test is one that holds at any time:
    the likelihood ratio of all greater shares, taken alike, to the usual one. Talk of the usual mix ever comes to r
    with a chance of 1 / r, however long it is watched.

    References
    ----------
    Ville (1939), Étude critique de la notion de collectif. Robbins (1970), Statistical methods related to the law of
    the iterated logarithm, Ann. Math. Statist. 41. DOI 10.1214/aoms/1177696786

    Examples
    --------
    >>> talkative = Mix(4_000.0, 10_000.0)
    >>> are_failures(talkative, n_failing=14, n_all=16), are_failures(talkative, n_failing=40, n_all=100)
    (True, False)
    >>> are_failures(Mix(), n_failing=5, n_all=5)
    True
    """
    if mix.share >= MOSTLY or not mix.is_watched:
        return n_failing >= MOSTLY * n_all
    n_other = n_all - n_failing
    a, b = n_failing + 1.0, n_other + 1.0
    above = np.log(np.maximum(special.betaincc(a, b, mix.share), 1e-300)) - np.log1p(-mix.share)
    ratio = special.betaln(a, b) + above - special.xlogy(n_failing, mix.share) - special.xlog1py(n_other, -mix.share)
    return bool(ratio >= -np.log(BY_CHANCE))
