"""How local a service's scatter is: that of its regions, learned and shrunk to what the service's says of them.

Reports come in company, and the company may be the whole service's (all its regions go up and down together) or each
region's own. In the first case a region with a tenth of the reports has a tenth of the service's excess over Poisson,
in the second all of it; public streams lie between, near the root of the tenth. So two things are learned: how local
the scatter is, as one exponent of a service's regions together, and each region's own scatter, which leans on that.

Invariant: no more of an hour counts than is usual at the most, so one odd hour makes no region deaf. Not here: the
scatter of the service itself (`scatter`), and which hours may teach.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ml.baseline import count_cap
from ml.scatter import SCATTER_MINUTES, Scatter, between_windows, hour_squares, hour_weights
from ml.types import Float64Array

# A region's part of the excess is its share to this power; public streams lie near the square root.
DEFAULT_EXPONENT: Final = 0.5
_EXPONENTS: Final = np.linspace(0.0, 1.0, 101)  # all local, to all in the common rate
# How surely so: the regions' part of the excess, all together, lies within a quarter of what follows (1 / variance).
_SURE_OF_DEFAULT: Final = 16.0
# What the service's word weighs against a region's own, in reports. With sixty, as the fleet's against a service's,
# chance moves the scatter of small regions so much that outages of three or four reports are missed (decision 43).
_WEIGHT_OF_SERVICE: Final = 240.0
_LEAST_SHARE: Final = 1e-9
# What an hour may count for: reports usual in it, that scatter so much, of a level known so well (as in `rhythm`).
_DISPERSION_OF_HOUR: Final = 1.5
_STRENGTH_OF_HOUR: Final = 20.0
_LEAST_EXPECTED: Final = 1e-3
_N_BLOCKS: Final = np.array([60.0 / minutes for minutes in SCATTER_MINUTES])


class Local(NamedTuple):
    """What a service's regions are taken to scatter like.

    `exponent` is between 0 (each by itself) and 1 (all together), `dispersion` of shape (k, n_windows), at least 1.
    """

    exponent: float
    dispersion: Float64Array


def empty_local(n_streams: int) -> Scatter:
    """Give the scatter of k streams without history.

    Examples
    --------
    >>> empty_local(2).squares.shape
    (2, 3)
    """
    nothing = np.zeros((n_streams, len(SCATTER_MINUTES)))
    return Scatter(squares=nothing, expected=nothing.copy())


def learn_local(scatter: Scatter, minute_counts: npt.ArrayLike, expected: npt.ArrayLike) -> Scatter:
    """Learn closed hours of k streams without an open outage.

    Parameters
    ----------
    scatter : Scatter
        What is known of the k streams; left untouched.
    minute_counts : array-like of shape (k, n_hours, 60)
        Reports a minute, oldest hour first. Hours without reports of a stream change nothing but its memory.
    expected : array-like of shape (k, n_hours)
        Reports usual of each stream in each of these hours.

    Returns
    -------
    Scatter
        With these hours, in rows of k.

    Raises
    ------
    ValueError
        If the shapes differ or a count is negative.

    Notes
    -----
    The dispersion of an hour of B windows with m reports each scatters with variance (2 + 1 / m) / (B - 1) where the
    reports are Poisson, and not with 1 / N of its N reports: a thousand reports in four quarters of an hour tell no
    more than four numbers do. So the sums are weighed by 1 / (1 + 2m), with m the usual, which makes them those of as
    many reports as a quiet hour needs to tell as much. Cost O(60 k n_hours).

    Examples
    --------
    >>> import numpy as np
    >>> pairs = np.zeros((1, 200, 60)); pairs[:, :, ::10] = 2  # reports that come two at a time
    >>> known = learn_local(empty_local(1), pairs, np.full((1, 200), 12.0))
    >>> float((known.squares / known.expected)[0, 0].round(1))
    1.8
    """
    counts = np.asarray(minute_counts, dtype=np.float64)
    usual = np.asarray(expected, dtype=np.float64)
    if counts.ndim != 3 or counts.shape[2] != 60 or usual.shape != counts.shape[:2] or (counts < 0).any():
        raise ValueError(
            f"minute_counts must be of shape (k, n_hours, 60) and not negative, expected of shape (k, n_hours), not "
            f"{counts.shape} and {usual.shape}"
        )
    most = count_cap(np.maximum(usual, _LEAST_EXPECTED), _DISPERSION_OF_HOUR, _STRENGTH_OF_HOUR)
    counted = np.minimum(most / np.maximum(counts.sum(axis=2), 1.0), 1.0)
    telling = counted[:, :, None] / (1.0 + 2.0 * usual[:, :, None] / _N_BLOCKS)
    squares, poisson = hour_squares(counts)
    weights, kept = hour_weights(counts.shape[1])
    return Scatter(
        squares=scatter.squares * kept + np.einsum("h,khw->kw", weights, telling * squares),
        expected=scatter.expected * kept + np.einsum("h,khw->kw", weights, telling * poisson),
    )


def region_dispersion(
    scatter: Scatter,
    share: npt.ArrayLike,
    is_leaf: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    *,
    windows: tuple[int, ...],
) -> Local:
    """Conclude how the reports of a service's k regions scatter.

    Parameters
    ----------
    scatter : Scatter
        Theirs, in rows of k, from `learn_local`.
    share : array-like of shape (k,)
        What part of the service they usually carry.
    is_leaf : array-like of shape (k,), bool
        False for a region that holds others of them, which must not be counted twice.
    dispersion : array-like of shape (len(windows),)
        Of the service's counts in each window.
    windows : tuple of int
        Minutes; 1, 5 and 15 are among them.

    Returns
    -------
    Local
        A region without history has the service's excess times its share to the exponent.

    Notes
    -----
    The exponent makes the excess that the regions had, all together, the one they should have had (moment matching),
    weighed against its being a half: n reports of a service of dispersion d tell of it as n (d - 1)², so where the
    service hardly scatters, and it matters as little, it stays. A region's own sums are shrunk to what follows as by
    240 reports, over what part of the service it is not. Cost O(100 k).

    Examples
    --------
    >>> import numpy as np
    >>> alike = Scatter(squares=np.full((2, 3), 1300.0), expected=np.full((2, 3), 1000.0))
    >>> found = region_dispersion(alike, [0.25, 0.04], [True, True], np.full(3, 1.3), windows=(1, 5, 15))
    >>> round(found.exponent, 1), found.dispersion[:, 0].round(2).tolist()
    (0.0, [1.3, 1.3])
    >>> unheard = region_dispersion(empty_local(1), [0.25], [True], np.full(3, 1.3), windows=(1, 5, 15))
    >>> unheard.exponent, unheard.dispersion[0].round(2).tolist()
    (0.5, [1.15, 1.15, 1.15])
    """
    by_window = np.asarray(dispersion, dtype=np.float64)
    part = np.clip(np.asarray(share, dtype=np.float64), _LEAST_SHARE, 1.0)
    excess = by_window[[windows.index(minutes) for minutes in SCATTER_MINUTES]] - 1.0
    leaves = np.asarray(is_leaf, dtype=np.bool_)
    exponent = _exponent(Scatter(scatter.squares[leaves], scatter.expected[leaves]), part[leaves], excess)
    prior = 1.0 + excess * part[:, None] ** exponent
    # What all but is its service has said in the service's scatter what it has to say, and is not heard twice.
    weight = _WEIGHT_OF_SERVICE / np.maximum(1.0 - part, _LEAST_SHARE)[:, None]
    own = (scatter.squares + weight * prior) / (scatter.expected + weight)
    return Local(exponent, np.asarray(np.maximum(own, 1.0) @ between_windows(windows)))


def _exponent(scatter: Scatter, share: Float64Array, excess: Float64Array) -> float:
    reports = scatter.expected.sum(axis=0)
    if not (reports > 0).all():
        return DEFAULT_EXPONENT
    due = share[:, None] ** _EXPONENTS  # (k, 101): of a region, the part of the service's excess by exponent
    mean = (scatter.expected.T @ due) / reports[:, None]  # of all regions, by window
    seen = (scatter.squares - scatter.expected).sum(axis=0)
    by_default = np.array([np.interp(DEFAULT_EXPONENT, _EXPONENTS, one) for one in mean])
    # Each window says seen / (reports * excess) of the part, with variance 1 / (reports * excess**2).
    wanted = float((seen * excess + _SURE_OF_DEFAULT * by_default).sum())
    would_be = (reports * excess**2 + _SURE_OF_DEFAULT) @ mean
    return float(np.interp(-wanted, -would_be, _EXPONENTS))
