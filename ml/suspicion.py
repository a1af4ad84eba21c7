"""Whether reports look like a crowd or like somebody who plays one: networks, wording and rhythm.

Three tests on one burst of a service's reports, each with a name that can be told to a person: too few networks for so
many reports, too many copies of one long text, too even a rhythm. Each answers which reports it means, for the others
may be a real outage at the same time. What a single report says is never the ground: people do type the same few words.
Not here: what is done with a suspicion, and what one report alone gives away (a filled trap in the form).
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from ml.types import BoolArray, IntArray

# An outage in one city brings people of few networks: so many times as likely as usual may two reports share one.
MARGIN = 10.0
# Fewer reports than this prove nothing about networks: twice what one network may count within an hour.
LEAST_CROWDED = 40
# Where no usual is known, as alike as reports from twenty networks are, and more of them have to be seen.
P_SAME_UNKNOWN = 0.05
LEAST_CROWDED_UNKNOWN = 100
# One burst in so many looks suspicious by chance.
P_CROWDED = 1e-6
# A network with fewer reports in the burst is nobody's crowd.
LEAST_OF_A_NETWORK = 3

# Short complaints are alike because the trouble is; of a real blackout's reports the copied ones were headlines and
# appeals of eight words and more.
LEAST_WORDS = 8
SHINGLE_WORDS = 3
# Two texts are near copies when so much of their shingles is common (Jaccard): one word in fifteen may differ. In five
# simulated outages of 800 reports, written by one small grammar, at most 12 are that alike (at 0.5: 15).
LEAST_ALIKE = 0.6
LEAST_COPIES = 15
LEAST_COPIES_OF_HALF = 4

# Intervals of a machine that waits a fixed time scatter by a tenth; those of people by as much as their mean.
MOST_EVEN = 0.25
LEAST_INTERVALS = 20

_WORD = re.compile(r"\w+")
_LINK_OR_ADDRESSEE = re.compile(r"https?://\S+|@\w+")


def p_same_network(sizes_by_day: Sequence[npt.ArrayLike]) -> float | None:
    """Estimate the usual probability that two reports of one day come from one network (Simpson's index).

    Parameters
    ----------
    sizes_by_day : sequence of array-like of shape (n_networks,)
        Reports by network, one array a day: a network has another name every day.

    Returns
    -------
    float or None
        At least what three pairs that share a network would say, so that a quiet past is no proof; None where so few
        pairs are known that this bound would be above `P_SAME_UNKNOWN` without a single pair seen.

    References
    ----------
    Simpson (1949), Nature 163. DOI 10.1038/163688a0

    Examples
    --------
    >>> p_same_network([[1] * 50, [2] + [1] * 48])  # two days of fifty reports, one pair alike
    0.0016326530612244899
    >>> p_same_network([[3, 2]]) is None
    True
    """
    same = pairs = 0.0
    for sizes in sizes_by_day:
        day = np.asarray(sizes, dtype=np.float64)
        same += float((day * (day - 1)).sum()) / 2
        pairs += float(day.sum() * (day.sum() - 1)) / 2
    return min((same + 3.0) / pairs, 1.0) if pairs >= 3.0 / P_SAME_UNKNOWN else None


def crowded(sizes: npt.ArrayLike, *, p_same: float | None) -> BoolArray:
    """Tell which networks make a burst more crowded than an outage would.

    The most crowded networks are taken away until what is left shares networks no more often than `MARGIN` times the
    usual, or chance explains it; with them go those that are as large, to a half. They are suspicious together, if
    they hold `LEAST_CROWDED` reports.

    Parameters
    ----------
    sizes : array-like of shape (n_networks,)
        Reports of the burst by network.
    p_same : float or None
        Usual probability that two reports share a network (`p_same_network`); None where it is not known.

    Returns
    -------
    ndarray of shape (n_networks,), bool
        The networks that are suspicious; all False where the burst is as it may be.

    Notes
    -----
    Pairs within one network come all at once, so their number is tested in units of the largest network's reports
    (a compound Poisson count, on the safe side). Cost O(n log n).

    Examples
    --------
    >>> crowded([500, 1, 2, 1], p_same=0.001).tolist()
    [True, False, False, False]
    >>> crowded([20] * 50, p_same=0.0005).all(), crowded([2] * 500, p_same=0.0005).any()
    (np.True_, np.False_)
    >>> crowded([30, 1, 1], p_same=0.001).any()  # an office
    np.False_
    """
    counts = np.asarray(sizes, dtype=np.float64)
    least = LEAST_CROWDED if p_same is not None else LEAST_CROWDED_UNKNOWN
    allowed = min(MARGIN * p_same, 1.0) if p_same is not None else P_SAME_UNKNOWN
    order = np.argsort(-counts, kind="stable")
    in_order = counts[order]
    # What is left when the first k are taken away: reports, and pairs that share a network.
    n_left = np.concatenate([np.cumsum(in_order[::-1])[::-1], [0.0]])
    same_left = np.concatenate([np.cumsum((in_order * (in_order - 1))[::-1])[::-1] / 2, [0.0]])
    n_taken = 0
    while n_taken < in_order.size and in_order[n_taken] >= LEAST_OF_A_NETWORK:
        n = float(n_left[n_taken])
        expected = allowed * n * (n - 1) / 2
        same = float(same_left[n_taken])
        clump = float(in_order[n_taken])
        if same <= expected or special.gammainc(same / clump, max(expected / clump, 1e-12)) > P_CROWDED:
            break
        n_taken += 1
    found: BoolArray = np.zeros(counts.size, dtype=np.bool_)
    if n_taken:
        # Where a hundred bots are spread evenly, what is left after some of them looks usual; they are no better.
        found = counts >= max(in_order[n_taken - 1] / 2, LEAST_OF_A_NETWORK)
    return found if counts[found].sum() >= least else np.zeros_like(found)


def near_copies(texts: Sequence[str]) -> IntArray:
    """Find long texts that are copies of one another but for a few words.

    Parameters
    ----------
    texts : sequence of str of length n
        In the order in which they came.

    Returns
    -------
    ndarray of shape (n,), int64
        The group a text belongs to, -1 for one that is short (fewer than `LEAST_WORDS` words) or like no other.

    Notes
    -----
    A text joins the first text before it with which it shares enough shingles (runs of three words). Cost O(n) for
    texts that differ, O(n g) for n copies of g texts that share shingles.

    References
    ----------
    Broder (1997), On the resemblance and containment of documents. DOI 10.1109/SEQUEN.1997.666900

    Examples
    --------
    >>> appeal = "Everybody knows that the mail of this company has been down for days"
    >>> near_copies([appeal, "mail is down", appeal + " now", "I can't send mail from my phone any more"]).tolist()
    [0, -1, 0, -1]
    """
    firsts: list[int] = []  # of each group, how many shingles its first text has
    holders: dict[int, list[int]] = {}
    found = np.full(len(texts), -1, dtype=np.int64)
    for row, text in enumerate(texts):
        shingles = _shingles(text)
        if not shingles:
            continue
        common: dict[int, int] = {}
        for shingle in shingles:
            for group in holders.get(shingle, ()):
                common[group] = common.get(group, 0) + 1
        alike = (group for group, n in sorted(common.items()) if n >= LEAST_ALIKE * (len(shingles) + firsts[group] - n))
        joined = next(alike, None)
        if joined is None:
            joined = len(firsts)
            firsts.append(len(shingles))
            for shingle in shingles:
                holders.setdefault(shingle, []).append(joined)
        found[row] = joined
    sizes = np.bincount(found[found >= 0], minlength=len(firsts))
    is_single = (found >= 0) & (sizes[found] < 2) if len(firsts) else np.zeros(len(texts), dtype=np.bool_)
    found[is_single] = -1
    return found


def is_campaign(n_copies: int, *, n_reports: int) -> bool:
    """Tell whether so many people with one long text, of so many reports, are a campaign.

    Many are in any case; few where they are half of all there is, for an outage is told in many words.

    Examples
    --------
    >>> is_campaign(15, n_reports=1000), is_campaign(4, n_reports=8), is_campaign(4, n_reports=9)
    (True, True, False)
    """
    return n_copies >= LEAST_COPIES or (n_copies >= LEAST_COPIES_OF_HALF and 2 * n_copies >= n_reports)


def is_clockwork(seconds: npt.ArrayLike) -> bool:
    """Tell whether reports come at intervals too even for people.

    Those of people who know nothing of one another are exponential: they scatter by as much as their mean. Twelve of
    them scatter by a quarter of it once in 200,000 times, and each one more makes that five times as rare.

    Parameters
    ----------
    seconds : array-like of shape (n,)
        When they came, in any order.

    Examples
    --------
    >>> is_clockwork(range(0, 2000, 90)), is_clockwork([minute**2 for minute in range(30)])
    (True, False)
    """
    gaps = np.diff(np.sort(np.asarray(seconds, dtype=np.float64)))
    if gaps.size < LEAST_INTERVALS or gaps.mean() <= 0:
        return False
    return bool(gaps.std() / gaps.mean() < MOST_EVEN)


def gathered(keys: Sequence[bytes]) -> tuple[list[bytes], IntArray]:
    """Count how often each key occurs: the distinct keys in the order they came, and their numbers.

    Examples
    --------
    >>> gathered([b"a", b"b", b"a"])
    ([b'a', b'b'], array([2, 1]))
    """
    sizes: dict[bytes, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    return list(sizes), np.array(list(sizes.values()), dtype=np.int64)


def _shingles(text: str) -> set[int]:
    words = _WORD.findall(_LINK_OR_ADDRESSEE.sub(" ", text.casefold()))
    if len(words) < LEAST_WORDS:
        return set()
    return {
        zlib.crc32(" ".join(words[at : at + SHINGLE_WORDS]).encode()) for at in range(len(words) - SHINGLE_WORDS + 1)
    }
