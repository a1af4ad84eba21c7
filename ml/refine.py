"""Refinement: what people see as one problem, merged and split as the stream goes on, with ids that keep their meaning.

Invariant: an id, once given to some content, never means other content; what a person joined or took apart stays so.
Refinement looks at what moved since the last one and at its neighbours, and by turns at the rest. Not here: texts, and
when to run it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ml.apart import BURST_SECONDS, widened
from ml.linkage import average_linkage, more_of_many
from ml.types import BoolArray, Float64Array, FloatArray, IntArray

NO_GROUP: Final = -1
# Average linkage reads its threshold off pairs of single texts, groups come of many: so much more than usual is asked
# of the mean of all pairs. Chosen with the constants below on the first halves of Banking77 and News-T.
GROUP_FACTOR: Final = 1.36
# Ids that people have seen stay while they are about right: a micro-cluster leaves its group where it is less alike to
# the rest of it than this share of the threshold, or more alike to another group by that share. First halves, static
# vectors: 9 % of Banking77's first labels change, 9 % of English + Arabic's, 4 % of News-T's; with 0.25 for the second
# a half to 1 % less for .004 B-cubed less, with 0.15 1 % more for hardly any, and 14-34 % where everything is regrouped
# freely.
LEAVES_BELOW: Final = 0.8
LEAVES_FOR: Final = 0.2
# While a service is younger everything is regrouped freely: there is little yet that anybody has seen. (With 1,500,
# 4 % more of English + Arabic's first labels change, first half, for the same B-cubed within .002.)
YOUNG_REPORTS: Final = 500
# What is looked at by turns falls apart where its group is so large and nothing as alike as this share of the threshold
# holds it together: groups grow mixed in small steps, of which none looks wrong by itself, and large ones weigh most.
# (With 20 reports .006 B-cubed less for News-T's first half read by MiniLM, and the same elsewhere.)
LARGE_REPORTS: Final = 40
HOLDS_TOGETHER: Final = 0.85
# Unless it has more wordings than these: each is a reading of all groups, and a pause must stay short.
MOST_ANEW: Final = 256
# A group that is no heir by the greater part may still carry the id of reports that all went into it, where they are so
# much of it; a new id would be one more that people have to learn.
HEIR_SHARE: Final = 0.25
# So many corrections hold the threshold where the calibration put it; one alone must not regroup a service.
PRIOR_CORRECTIONS: Final = 5
FARTHEST_VOTE: Final = 0.7
_FACTORS: Final = (0.85, 1.2)
# Each refinement looks at one of so many shares of what did not move: the first number where a few topics fill the
# window and pass, for a story must not be over before its turn comes; the second where the stream is mixed, for there
# ids stay that people know, at hardly a cost. (First halves, static vectors: with 8 for all 9 to 16 % of first labels
# change on six mixed streams, with 24 8 to 13 %, for .002 B-cubed on average. With 12 or more for all, headlines in
# bursts lose .014.) Primes, for groups may be counted anew as others go: where one or two go at each refinement, half
# or two thirds of all would never have their turn among 24.
TURNS: Final = (7, 23)


@dataclass(frozen=True, slots=True)
class Constraints:
    """What people said.

    Attributes
    ----------
    pins : ndarray of shape (k,), int64
        Group that a person put the micro-cluster into, `NO_GROUP` for most.
    barred : tuple of (int, int)
        Groups that must not be one; nor does what leaves one of them join the other.
    """

    pins: IntArray
    barred: tuple[tuple[int, int], ...] = ()


def group_threshold(usual_weighted: float, factor: float = GROUP_FACTOR) -> float:
    """The mean product of all pairs from which groups are one problem.

    Parameters
    ----------
    usual_weighted : float
        Of the service's `ml.calibration.Calibration`.
    factor : float, optional
        What people's corrections made of `GROUP_FACTOR`.

    Returns
    -------
    float
        At most 1.

    Examples
    --------
    >>> round(group_threshold(0.4), 3)
    0.544
    """
    return min(usual_weighted * factor, 1.0)


def turns_of(mixed: float) -> int:
    """In how many refinements every group is looked at, whether it moved or not, while they keep their numbers.

    Parameters
    ----------
    mixed : float
        `ml.calibration.Calibration.mixed`.

    Examples
    --------
    >>> turns_of(0.0), turns_of(1.0)
    (7, 23)
    """
    fewest, most = TURNS
    return round(fewest + (most - fewest) * mixed)


def adapted_factor(sums: FloatArray, n_reports: IntArray, constraints: Constraints, *, usual_weighted: float) -> float:
    """What people's corrections make of the threshold, as a factor on it.

    Two groups that a person took apart should be less alike than the threshold, what a person put together more alike.
    Each such pair or group has one vote: by how much the threshold would have to move, 0 where it is right already. A
    vote that lies far off is no vote: there a person knew what vectors do not tell, and pins and barriers see to it.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
    n_reports : ndarray of shape (k,), int64
    constraints : Constraints
    usual_weighted : float
        Of the service's calibration.

    Returns
    -------
    float
        Between 0.85 and 1.2; 1.0 without corrections.

    Notes
    -----
    The mean of the votes' logarithms with `PRIOR_CORRECTIONS` votes for leaving it where it is. Cost O(p d) for p
    pinned micro-clusters.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.array([[1.0, 0.0], [0.5, 0.866]], dtype=np.float32)
    >>> pins = Constraints(np.array([7, 8]), barred=((7, 8),))
    >>> round(adapted_factor(sums, np.array([1, 1]), pins, usual_weighted=0.3), 3)
    1.034
    """
    threshold = group_threshold(usual_weighted)
    pinned = np.flatnonzero((constraints.pins != NO_GROUP) & np.any(sums != 0, axis=1))
    if len(pinned) == 0 or threshold <= 0:
        return 1.0
    names, place = np.unique(constraints.pins[pinned], return_inverse=True)
    totals, sizes = _added_up(sums[pinned], n_reports[pinned], place, len(names))
    at = {int(name): index for index, name in enumerate(names.tolist())}
    apart = [
        float(totals[at[one]] @ totals[at[other]]) / float(sizes[at[one]] * sizes[at[other]])
        for one, other in constraints.barred
        if one in at and other in at
    ]
    own = np.bincount(place, weights=np.einsum("ij,ij->i", sums[pinned], sums[pinned]))
    own_pairs = np.bincount(place, weights=n_reports[pinned].astype(np.float64) ** 2)
    pairs = sizes.astype(np.float64) ** 2 - own_pairs
    together = ((np.einsum("ij,ij->i", totals, totals) - own)[pairs > 0] / pairs[pairs > 0]).tolist()
    votes = [max(alike / threshold, 1.0) for alike in apart] + [min(alike / threshold, 1.0) for alike in together]
    near = [vote for vote in votes if FARTHEST_VOTE <= vote <= 1 / FARTHEST_VOTE]
    moved = float(np.exp(np.log(near).sum() / (len(near) + PRIOR_CORRECTIONS))) if near else 1.0
    return float(np.clip(moved, *_FACTORS))


def refine(
    sums: FloatArray,
    n_reports: IntArray,
    groups: IntArray,
    *,
    threshold: float,
    kinds: IntArray | None = None,
    middles: Float64Array | None = None,
    same_time: float = 0.0,
    burst_seconds: float = BURST_SECONDS,
    moved: BoolArray | None = None,
    turn: int = 0,
    n_turns: int = TURNS[0],
    constraints: Constraints | None = None,
    first_new_group: int | None = None,
) -> IntArray:
    """Group micro-clusters by exact average linkage over their reports, keeping group ids where content stays.

    The similarity of two groups is the mean product over all pairs of a report of one and a report of the other, which
    is `S_i · S_j / (n_i n_j)` of their sums. The most alike groups merge until none are as alike as the threshold, of
    which large groups need a little more (`ml.linkage.more_of_many`).
    Micro-clusters themselves are never taken apart; those without a known token (all-zero sum) stay alone.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float32
        As in `LeaderState`.
    n_reports : ndarray of shape (k,), int64
        Members, at least 1 each.
    groups : ndarray of shape (k,), int64
        Group of each so far, `NO_GROUP` (-1) if none yet.
    threshold : float
        Mean product from which groups are one problem: see `group_threshold`.
    kinds : ndarray of shape (k,), int64, optional
        See `ml.guards.kinds_of`. Micro-clusters that name different codes are not alike at all, nor are
        those of different countries that come on different days, whatever their wording.
    middles : ndarray of shape (k,), float64, optional
        Middle of each one's life, epoch seconds; needed for countries to matter.
    moved : ndarray of shape (k,), bool, optional
        What changed since the last refinement. By default, and below `YOUNG_REPORTS`, everything is grouped anew.
    turn : int, default 0
        Which share of the groups is looked at even where nothing moved, and taken apart if large and mixed: count it
        up.
    n_turns : int, optional
        How many shares there are, see `turns_of`.
    constraints : Constraints, optional
    first_new_group : int, optional
        Ids of new groups count up from here; by default from `max(groups) + 1`. Give it where ids above that have been
        used before.

    Returns
    -------
    ndarray of shape (k,), int64
        Group of each. A refined group keeps the old id that covers most of its reports, if it is also where most of
        that id's reports went (at a tie, the lower id, and the group with the lower first index); otherwise the one of
        the ids that went to it which brought most, if that is `HEIR_SHARE` of it; otherwise a new one. A group with
        pins keeps the id they name.

    Raises
    ------
    ValueError
        If shapes do not fit, a size is below 1, or `first_new_group` is taken.

    Notes
    -----
    Cost O(u (g + u) d) for u micro-clusters looked at among g other groups.

    References
    ----------
    See `ml.linkage.average_linkage`.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.array([[2.0, 0.0], [1.8, 0.8], [0.0, 1.0]], dtype=np.float32)
    >>> refine(sums, np.array([2, 2, 1]), np.array([7, 8, 9]), threshold=0.5).tolist()
    [7, 7, 9]
    """
    pins = np.full(len(groups), NO_GROUP, dtype=np.int64) if constraints is None else constraints.pins
    unused = check_shapes(len(sums), n_reports, groups, first_new_group, pins)
    if len(groups) == 0:
        return groups.copy()
    wide, signs = widened(sums, n_reports, kinds, middles, same_time, burst_seconds)
    if moved is None or n_reports.sum() < YOUNG_REPORTS:
        looked_at = leaving = is_their_turn = np.ones(len(groups), dtype=np.bool_)
    else:
        is_their_turn = groups % n_turns == turn % n_turns
        looked_at = moved | (groups == NO_GROUP) | is_their_turn
        leaving = _leaving(wide, n_reports, groups, looked_at, signs, threshold)
    # What does not leave stays whole, and so does what a person pinned together. Pins and groups are numbers of the
    # same kind, so a pinned micro-cluster and the group it names are one.
    whole = np.where(leaving, _alone(len(groups)), groups)
    if not leaving.all():
        may_part = is_their_turn & (groups != NO_GROUP) & (pins == NO_GROUP)
        whole = _taken_apart(whole, wide, n_reports, groups, may_part, signs, threshold)
    names, atom = np.unique(np.where(pins != NO_GROUP, pins, whole), return_inverse=True)
    atom_sums, atom_sizes = _added_up(wide, n_reports, atom, len(names))
    starts = np.zeros(len(names), dtype=np.bool_)
    starts[atom[looked_at]] = True
    member_of = np.where(pins != NO_GROUP, pins, groups)
    barred = [
        (one, other)
        for low, high in (() if constraints is None else constraints.barred)
        for one in np.unique(atom[member_of == low]).tolist()
        for other in np.unique(atom[member_of == high]).tolist()
    ]
    known = np.any(sums != 0, axis=1)
    atom_sums[np.bincount(atom, weights=known, minlength=len(names)) == 0] = 0
    parts = average_linkage(
        atom_sums,
        atom_sizes,
        threshold=threshold,
        signs=signs,
        starts=starts,
        barred=barred,
        more=more_of_many(threshold),
    )
    # Atoms come in no order that means anything; parts are named after their first micro-cluster.
    _, first, part = np.unique(parts[atom], return_index=True, return_inverse=True)
    return _inherit(first[part], n_reports, groups, pins, unused)


def _added_up(wide: FloatArray, n_reports: IntArray, atom: IntArray, n_atoms: int) -> tuple[FloatArray, IntArray]:
    order = np.argsort(atom, kind="stable")
    begins = np.searchsorted(atom[order], np.arange(n_atoms))
    sizes = np.bincount(atom, weights=n_reports, minlength=n_atoms).astype(np.int64)
    return np.add.reduceat(wide[order], begins, axis=0), sizes


def _alone(n: int) -> IntArray:
    """A name of its own for each, unlike every group's."""
    return NO_GROUP - 1 - np.arange(n)


def _taken_apart(
    whole: IntArray,
    wide: FloatArray,
    n_reports: IntArray,
    groups: IntArray,
    may_part: BoolArray,
    signs: FloatArray | None,
    threshold: float,
) -> IntArray:
    """Large groups in the parts that clearly do not belong together, each under a name of its own. What would leave by
    itself stays with its part: one wording's mean is a chancy thing."""
    found = whole.copy()
    at = np.flatnonzero(may_part)
    order = at[np.argsort(groups[at], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if 1 < len(members) <= MOST_ANEW and n_reports[members].sum() >= LARGE_REPORTS:
            parts = average_linkage(
                wide[members],
                n_reports[members],
                threshold=threshold * HOLDS_TOGETHER,
                signs=signs,
                more=more_of_many(threshold),
            )
            found[members] = _alone(len(groups))[members[parts]]
    return found


def _leaving(
    wide: FloatArray,
    n_reports: IntArray,
    groups: IntArray,
    looked_at: BoolArray,
    signs: FloatArray | None,
    threshold: float,
) -> BoolArray:
    """What belongs elsewhere, or nowhere: clearly more alike to another group than to the rest of its own, or clearly
    less alike to it than the threshold."""
    names, place = np.unique(groups, return_inverse=True)
    sums, sizes = _added_up(wide, n_reports, place, len(names))
    at = np.flatnonzero(looked_at)
    rows, own = wide[at] if signs is None else wide[at] * signs, place[at]
    alike = (rows @ sums.T) / (n_reports[at][:, None] * sizes).astype(np.float32)
    n_rest = sizes[own] - n_reports[at]
    with_rest = np.einsum("ij,ij->i", rows, sums[own]) - np.einsum("ij,ij->i", rows, wide[at])
    stays = np.divide(with_rest, n_reports[at] * n_rest, out=np.full(len(at), np.inf), where=n_rest > 0)
    alike[np.arange(len(at)), own] = -np.inf
    alike[:, names == NO_GROUP] = -np.inf
    leaving: BoolArray = groups == NO_GROUP
    leaving[at] |= (stays < LEAVES_BELOW * threshold) | (alike.max(axis=1) > stays + LEAVES_FOR * threshold)
    return leaving


def _inherit(parts: IntArray, n_reports: IntArray, groups: IntArray, pins: IntArray, next_group: int) -> IntArray:
    """Ids for the parts: an old id goes to a part if each is where most of the other lies; a pin goes before that, and
    after it an id may go to where most of it lies though the part holds more of another."""
    shared: dict[tuple[int, int], int] = {}
    pinned: dict[tuple[int, int], int] = {}
    for part, group, pin, size in zip(parts.tolist(), groups.tolist(), pins.tolist(), n_reports.tolist(), strict=True):
        if group != NO_GROUP:
            shared[part, group] = shared.get((part, group), 0) + size
        if pin != NO_GROUP:
            pinned[part, pin] = pinned.get((part, pin), 0) + size
    most_of_part: dict[int, tuple[int, int]] = {}  # part -> (-reports shared, group)
    most_of_group: dict[int, tuple[int, int]] = {}  # group -> (-reports shared, part)
    for (part, group), size in shared.items():
        most_of_part[part] = min(most_of_part.get(part, (1, 0)), (-size, group))
        most_of_group[group] = min(most_of_group.get(group, (1, 0)), (-size, part))
    pin_of: dict[int, tuple[int, int]] = {}
    for (part, pin), size in pinned.items():
        pin_of[part] = min(pin_of.get(part, (1, 0)), (-size, pin))
    ids: dict[int, int] = {part: pin for part, (_, pin) in pin_of.items()}
    taken = set(ids.values())
    for part, (_, group) in most_of_part.items():
        if part not in ids and group not in taken and most_of_group[group][1] == part:
            ids[part] = group
            taken.add(group)
    names, place = np.unique(parts, return_inverse=True)
    size_of = dict(zip(names.tolist(), np.bincount(place, weights=n_reports).tolist(), strict=True))
    for size, group, part in sorted((size, group, part) for group, (size, part) in most_of_group.items()):
        if part not in ids and group not in taken and -size >= HEIR_SHARE * size_of[part]:
            ids[part] = group
            taken.add(group)
    for part in names.tolist():
        if part not in ids:
            ids[part], next_group = next_group, next_group + 1
    return np.array([ids[part] for part in parts.tolist()], dtype=np.int64)


def check_shapes(
    n_micro: int,
    n_reports: IntArray,
    groups: IntArray,
    first_new_group: int | None,
    pins: IntArray | None = None,
) -> int:
    """Raise where shapes do not fit; return the first id for a new group."""
    if n_reports.shape != (n_micro,) or groups.shape != (n_micro,):
        raise ValueError(
            f"n_reports and groups must fit the {n_micro} sums, not have shapes {n_reports.shape} and {groups.shape}"
        )
    if n_reports.min(initial=1) < 1:
        raise ValueError("n_reports must be at least 1 for every micro-cluster")
    if pins is not None and pins.shape != groups.shape:
        raise ValueError(f"pins must have shape {groups.shape} like the groups, not {pins.shape}")
    in_use = groups if pins is None else np.concatenate((groups, pins))
    unused = int(in_use.max(initial=NO_GROUP)) + 1
    if first_new_group is not None and first_new_group < unused:
        raise ValueError(f"first_new_group must be above every group in use, at least {unused}, not {first_new_group}")
    return unused if first_new_group is None else first_new_group
