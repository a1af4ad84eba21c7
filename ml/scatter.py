"""How much reports scatter within minutes: their dispersion for windows of any length, learned and shrunk.

Reports come in company (one person tells another, a link is shared), so counts scatter more than Poisson, in short
windows less than in long ones. What is measured here is the scatter around the hour's own mean, which a rate that
merely wanders from hour to hour does not touch (that is `recent`'s and `baseline`'s matter).

What must stay true: learning is adding, so services may be pooled by adding theirs; a stream with little history takes
after the fleet. Not here: the profile, and the clock.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.types import Float64Array

SCATTER_MINUTES = (1, 5, 15)  # an hour has 60, 12 and 4 of them; longer ones leave too few to compare
# Where nothing is known: in public report streams the excess over 1 grows with about the square root of the window,
# from 0.01 to 0.1 at a minute to 0.0 to 0.6 at a quarter of an hour (four recorded streams, half of 61 public series).
DEFAULT_EXCESS = (0.05, 0.115, 0.2)
_PRIOR_WEIGHT = 60.0  # what the fleet's word weighs against a stream's own: that of sixty reports
_HALF_LIFE_HOURS = 4 * 7 * 24.0
_HIGHEST_RATIO = 12.0  # one hour's squares count up to so many times what a Poisson hour would show


@dataclass(frozen=True, slots=True)
class Scatter:
    """Sums over learned hours, forgotten with a half-life of four weeks.

    Parameters
    ----------
    squares : ndarray of shape (3,), float64
        Squared differences from the hour's mean, for windows of 1, 5 and 15 minutes. Of k streams, a row for each.
    expected : ndarray of that shape, float64
        What they would be on average were the reports Poisson.
    """

    squares: Float64Array
    expected: Float64Array


def empty_scatter() -> Scatter:
    """Give the scatter of a stream without history."""
    return Scatter(squares=np.zeros(len(SCATTER_MINUTES)), expected=np.zeros(len(SCATTER_MINUTES)))


def learn_scatter(scatter: Scatter, minute_counts: npt.ArrayLike) -> Scatter:
    """Learn closed hours without an open outage.

    Parameters
    ----------
    scatter : Scatter
        What is known; left untouched.
    minute_counts : array-like of shape (n_hours, 60)
        Reports a minute, oldest hour first.

    Returns
    -------
    Scatter
        With these hours.

    Raises
    ------
    ValueError
        If the shape is another or a count is negative.

    Notes
    -----
    With N reports in an hour of B windows the squares around the mean are ``dispersion * N * (B - 1) / B`` on average.
    Cost O(60 n_hours).

    Examples
    --------
    >>> import numpy as np
    >>> pairs = np.zeros((200, 60)); pairs[:, ::10] = 2  # reports that come two at a time
    >>> dispersion_by_window(learn_scatter(empty_scatter(), pairs), (1,)).round(1).tolist()
    [1.8]
    """
    counts = np.asarray(minute_counts, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != 60 or (counts < 0).any():
        raise ValueError(f"minute_counts must be of shape (n_hours, 60) and not negative, not {counts.shape}")
    squares, expected = hour_squares(counts)
    weights, kept = hour_weights(counts.shape[0])
    return Scatter(
        squares=scatter.squares * kept + weights @ squares, expected=scatter.expected * kept + weights @ expected
    )


def hour_squares(counts: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Give the squares around each hour's mean, and what they would be on average were the reports Poisson.

    Parameters
    ----------
    counts : ndarray of shape (..., 60), float64
        Reports a minute.

    Returns
    -------
    tuple of ndarray of shape (..., 3), float64
        For windows of 1, 5 and 15 minutes; the squares up to twelve times the other.

    Examples
    --------
    >>> squares, expected = hour_squares(np.array([[4.0] + 59 * [0.0]]))
    >>> squares.round(2).tolist(), expected.round(2).tolist()
    ([[15.73, 14.67, 12.0]], [[3.93, 3.67, 3.0]])
    """
    squares, expected = [], []
    for minutes in SCATTER_MINUTES:
        blocks = counts.reshape(*counts.shape[:-1], 60 // minutes, minutes).sum(axis=-1)
        n_blocks = blocks.shape[-1]
        poisson = blocks.sum(axis=-1) * (n_blocks - 1) / n_blocks
        seen = ((blocks - blocks.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
        squares.append(np.minimum(seen, _HIGHEST_RATIO * poisson))
        expected.append(poisson)
    return np.stack(squares, axis=-1), np.stack(expected, axis=-1)


def hour_weights(n_hours: int) -> tuple[Float64Array, float]:
    """Give what each of some hours, oldest first, weighs after the last, and what is kept of all before them.

    Examples
    --------
    >>> weights, kept = hour_weights(2)
    >>> weights[1].item(), bool(kept < weights[0] < 1)
    (1.0, True)
    """
    weights = 0.5 ** (np.arange(n_hours - 1, -1, -1) / _HALF_LIFE_HOURS)
    return weights, float(0.5 ** (n_hours / _HALF_LIFE_HOURS))


def pool_scatter(scatters: list[Scatter]) -> Scatter:
    """Add up the scatter of streams: of one fleet, or of its streams of one rate.

    Examples
    --------
    >>> pool_scatter([]).squares.tolist()
    [0.0, 0.0, 0.0]
    """
    zero = empty_scatter()
    return Scatter(
        squares=np.asarray(sum((one.squares for one in scatters), zero.squares)),
        expected=np.asarray(sum((one.expected for one in scatters), zero.expected)),
    )


def dispersion_by_window(
    scatter: Scatter, windows: tuple[int, ...] | list[int], *, fleet: Scatter | None = None
) -> Float64Array:
    """Give the dispersion of counts in windows of given lengths.

    Parameters
    ----------
    scatter : Scatter
        The stream's own.
    windows : sequence of int
        Minutes.
    fleet : Scatter, optional
        That of all streams of about the same rate (`pool_scatter`), to which the stream's own is shrunk; itself shrunk
        to what public streams show.

    Returns
    -------
    ndarray of shape (len(windows),), float64
        At least 1; between the learned lengths linear in the logarithm of the window, constant from 15 minutes on.

    Examples
    --------
    >>> dispersion_by_window(empty_scatter(), (1, 5, 60)).round(3).tolist()
    [1.05, 1.115, 1.2]
    """
    prior = 1.0 + np.asarray(DEFAULT_EXCESS)
    if fleet is not None:
        prior = _shrunk(fleet, prior)
    return np.asarray(np.maximum(_shrunk(scatter, prior), 1.0) @ between_windows(windows))


def between_windows(windows: tuple[int, ...] | list[int]) -> Float64Array:
    """Give the matrix that leads from the learned windows to others.

    Returns
    -------
    ndarray of shape (3, len(windows)), float64
        Linear in the logarithm of the window, constant from 15 minutes on.

    Examples
    --------
    >>> (np.array([1.0, 2.0, 3.0]) @ between_windows((1, 5, 15, 60))).tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    to = np.log(np.asarray(windows))
    return np.stack([np.interp(to, np.log(SCATTER_MINUTES), one) for one in np.eye(len(SCATTER_MINUTES))])


def _shrunk(scatter: Scatter, prior: Float64Array) -> Float64Array:
    return np.asarray((scatter.squares + _PRIOR_WEIGHT * prior) / (scatter.expected + _PRIOR_WEIGHT))
