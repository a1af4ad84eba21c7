"""Slow rises of quiet streams: so many reports within hours that chance seldom begins such a clump.

`rise` looks back an hour, with the reports that come in it. Where an outage brings a report an hour and usual is one
in two days, three hours say what no single one does. A clump of k reports within w hours begins with one of them, and
chance lets one follow by k - 1 more within w hours; the rate of such beginnings is what a budget of false alarms is
spent on, however often one looks.

Invariant: the value is a rate a minute and an upper bound, so it compares with the thresholds of `phases`. Not here:
whether it goes on (a clump says nothing of that), and the mix of reports (`mix`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ml.detect import tail_p
from ml.types import Float64Array

CLUMP_HOURS: Final = (2, 3, 6)


def clump_rate(
    counts: npt.ArrayLike, expected: npt.ArrayLike, dispersion: npt.ArrayLike, strength: npt.ArrayLike
) -> Float64Array:
    """Give how often a minute chance begins a clump like that in each window of each stream.

    Parameters
    ----------
    counts : array-like of shape (k, 3)
        Reports of each stream in the latest 2, 3 and 6 hours (`CLUMP_HOURS`).
    expected : array-like of shape (k, 3)
        How many are usual in them, not negative.
    dispersion : array-like, broadcast to (k, 3)
        Variance over mean, at least 1.
    strength : array-like, broadcast to (k, 3)
        Gamma shape of the level, above 0.

    Returns
    -------
    ndarray of shape (k, 3), float64
        A rate a minute, times the number of windows, so that the smallest of a row may be taken; 1 where there are
        not two reports.

    Raises
    ------
    ValueError
        If a number is outside its range, see `detect.tail_p`.

    Notes
    -----
    ``rate = (m / w) P(X >= k - 1)`` with X negative binomial of mean m, the usual number within w minutes. Cost O(k).

    References
    ----------
    Naus (1982), Approximations for distributions of scan statistics, JASA 77. DOI 10.1080/01621459.1982.10477783

    Examples
    --------
    >>> usual = np.array([[0.02, 0.03, 0.06]])
    >>> float(clump_rate([[1, 4, 4]], usual, 1.0, 100.0).min()) < 1e-8
    True
    """
    seen = np.asarray(counts, dtype=np.float64)
    usual = np.asarray(expected, dtype=np.float64)
    minutes = 60.0 * np.array(CLUMP_HOURS)
    p = np.where(seen >= 2, tail_p(np.maximum(seen - 1.0, 0.0), usual, dispersion, strength), 1.0)
    rate = np.where(seen >= 2, len(CLUMP_HOURS) * p * np.maximum(usual, 1e-9) / minutes, 1.0)
    return np.asarray(np.minimum(rate, 1.0))
