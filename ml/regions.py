"""Where an outage is: a tree of regions, counts rolled up it, and the nodes an outage concerns.

Codes are '' (the whole, or unknown), 'DE' (ISO 3166-1) and 'DE-BY' (ISO 3166-2). What is counted at a node counts in
every node above it, so a report without a region counts in the whole alone and never in a country.

Two questions, two answers. `where` tells outages apart: it descends from the widest alarming node into the child that
carries most of the excess, and what alarms apart from the others is an outage apart. `place` says which regions one
outage concerns, by the posterior of every set of them (`tree`), or that it is too early to say. Both decide on counts
they are given; they neither test (`detect`) nor know what is usual (`baseline`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.tree import locate
from ml.types import Float64Array

WHOLE = ""

# Below this F1 to be expected it is too early to say where: more of the answer would be wrong than right.
SETTLED = 0.5

# A child carries the outage alone when it holds this much of the excess that has a region. With 70 % a national
# outage is not pinned to its biggest state, and a state outage survives a few reports from elsewhere.
CARRIES = 0.7
# Where two children alarm at once they are one outage of their parent, unless one is all but the whole of it.
CARRIES_ALONE = 0.9

ParentOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage as the tree shows it.

    Parameters
    ----------
    root : str
        The narrowest node that holds all of it: the stream to follow.
    regions : list of str
        The alarming regions that make it up: the root alone, or those below it.
    p_value : float
        Of the root; where the regions' own are smaller, the smallest of them.
    observed, expected : float
        Reports of the root.
    """

    root: str
    regions: list[str]
    p_value: float
    observed: float
    expected: float


@dataclass(frozen=True, slots=True)
class Place:
    """Which regions an outage concerns.

    Parameters
    ----------
    root : str
        The narrowest node that holds them all; the tree's root while it is too early to say.
    regions : list of str
        They: a node stands for its parts where all of them are concerned. The root alone while it is too early.
    p_concerned : dict of str to float
        Chance of every node that it or a part of it is concerned.
    confidence : float
        The F1 that the answer may be expected to have, between 0 and 1.
    is_settled : bool
        Whether that is enough to say where.
    """

    root: str
    regions: list[str]
    p_concerned: dict[str, float]
    confidence: float
    is_settled: bool


def parent(code: str) -> str | None:
    """Give the region that contains this one; None for the whole.

    Examples
    --------
    >>> parent("DE-BY"), parent("DE"), parent("")
    ('DE', '', None)
    """
    if code == WHOLE:
        return None
    head, dash, _ = code.rpartition("-")
    return head if dash else WHOLE


def ancestors(code: str, *, parent_of: ParentOf = parent) -> list[str]:
    """Give all regions that contain this one, nearest first.

    Examples
    --------
    >>> ancestors("DE-BY")
    ['DE', '']
    """
    found = []
    above = parent_of(code)
    while above is not None:
        found.append(above)
        above = parent_of(above)
    return found


def are_related(one: str, other: str) -> bool:
    """Tell whether two regions are the same or one contains the other.

    Examples
    --------
    >>> are_related("DE", "DE-BY"), are_related("DE-BY", "DE-BE")
    (True, False)
    """
    return one == other or one in ancestors(other) or other in ancestors(one)


def roll_up(
    codes: Sequence[str], counts: npt.ArrayLike, *, parent_of: ParentOf = parent
) -> tuple[list[str], Float64Array]:
    """Add every region's counts to all regions that contain it.

    Parameters
    ----------
    codes : sequence of str, length k
        Regions; repeated ones are added up.
    counts : array-like of shape (k, m)
        Counts at each region itself, without those below it.
    parent_of : callable
        The tree; ISO codes by default.

    Returns
    -------
    nodes : list of str
        The regions and all above them, sorted, so that the whole comes first.
    counts : ndarray of shape (len(nodes), m), float64
        Sums over each node and all below it.

    Raises
    ------
    ValueError
        If there is not one row of counts for each code.

    Notes
    -----
    Cost O(k · m · depth).

    Examples
    --------
    >>> nodes, sums = roll_up(["DE-BY", "DE", ""], [[3], [1], [2]])
    >>> dict(zip(nodes, sums[:, 0].tolist()))
    {'': 6.0, 'DE': 4.0, 'DE-BY': 3.0}
    """
    own = np.asarray(counts, dtype=np.float64)
    if own.ndim != 2 or own.shape[0] != len(codes):
        raise ValueError(f"counts must be of shape ({len(codes)}, m), not {own.shape}")
    lineages = [[code, *ancestors(code, parent_of=parent_of)] for code in codes]
    nodes = sorted({node for lineage in lineages for node in lineage} | ({WHOLE} if parent_of is parent else set()))
    row_of = {node: row for row, node in enumerate(nodes)}
    sums = np.zeros((len(nodes), own.shape[1]))
    for i, lineage in enumerate(lineages):
        for node in lineage:
            sums[row_of[node]] += own[i]
    return nodes, sums


def where(
    nodes: Sequence[str],
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    p_values: npt.ArrayLike,
    *,
    p_fire: float,
    parent_of: ParentOf = parent,
) -> list[Incident]:
    """Decide how many outages there are and which regions each concerns.

    A node *fires* when its p-value is below `p_fire`. From the widest firing node the search goes down: as long as one
    child carries at least 70 % of the excess of all children (90 % where two of them fire), and half of the node's
    own, the child is the better answer. The node it ends at is the root of one outage, whose regions are its firing
    children, or itself when fewer than two fire. Firing regions neither above nor below that root are searched again:
    they are outages of their own.

    Parameters
    ----------
    nodes : sequence of str, length k
        Regions, closed upwards (as from `roll_up`) or not.
    observed, expected : array-like of shape (k,)
        Reports of each node in one and the same window.
    p_values : array-like of shape (k,)
        Of each node, over all windows.
    p_fire : float
        Below it a node fires.
    parent_of : callable
        The tree; ISO codes by default.

    Returns
    -------
    list of Incident
        Most significant first; empty when nothing fires.

    Raises
    ------
    ValueError
        If the lengths differ.

    Notes
    -----
    Cost O(k · depth).

    Examples
    --------
    >>> found = where(["", "DE", "DE-BE", "DE-BY"], [13, 12, 1, 11], [1, 1, 0.5, 0.5],
    ...               [1e-7, 1e-8, 0.5, 1e-9], p_fire=1e-4)
    >>> [(incident.root, incident.regions) for incident in found]
    [('DE-BY', ['DE-BY'])]
    """
    seen, usual, p = (np.asarray(a, dtype=np.float64) for a in (observed, expected, p_values))
    if not (seen.shape == usual.shape == p.shape == (len(nodes),)):
        raise ValueError(f"observed, expected and p_values must all be of shape ({len(nodes)},)")
    row_of = {node: row for row, node in enumerate(nodes)}
    firing = {node for node in nodes if p[row_of[node]] < p_fire}
    children: dict[str, list[str]] = {}
    for node in nodes:
        above = parent_of(node)
        if above is not None:
            children.setdefault(above, []).append(node)
    excess = {node: max(float(seen[row] - usual[row]), 0.0) for node, row in row_of.items()}
    incidents = []
    unexplained = sorted(firing, key=lambda node: (len(ancestors(node, parent_of=parent_of)), node))
    while unexplained:
        top = unexplained[0]
        root = _descend(top, children, excess, firing)
        below = sorted(child for child in children.get(root, []) if child in firing)
        regions = below if len(below) > 1 else [root]
        row = row_of[root]
        incidents.append(
            Incident(
                root=root,
                regions=regions,
                p_value=float(min(p[row_of[node]] for node in {top, root, *regions})),
                observed=float(seen[row]),
                expected=float(usual[row]),
            )
        )
        over_root = {root, *ancestors(root, parent_of=parent_of)}
        unexplained = [
            node for node in unexplained if node not in over_root and root not in ancestors(node, parent_of=parent_of)
        ]
    return sorted(incidents, key=lambda incident: (incident.p_value, incident.root))


def _descend(node: str, children: dict[str, list[str]], excess: dict[str, float], firing: set[str]) -> str:
    while True:
        below = children.get(node, [])
        total = sum(excess[child] for child in below)
        heaviest = max(below, key=lambda child: (excess[child], child), default=None)
        share = CARRIES if sum(child in firing for child in below) < 2 else CARRIES_ALONE
        # The child must also hold half of the node's own excess: ten reports without a region and one from Texas
        # are no Texan outage.
        if heaviest is None or excess[heaviest] < share * total or excess[heaviest] < 0.5 * excess[node]:
            return node
        if excess[heaviest] <= 0:
            return node
        node = heaviest


def place(
    nodes: Sequence[str],
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    strength: npt.ArrayLike,
    *,
    windows: tuple[int, ...] | None = None,
    parent_of: ParentOf = parent,
) -> Place:
    """Say which regions a rise concerns, given that there is one.

    Parameters
    ----------
    nodes : sequence of str, length k
        Regions in any order; the parent of each but one is among them.
    observed, expected : array-like of shape (k, w)
        Reports of each node and all below it (as from `roll_up`), in windows that end now.
    dispersion : array-like, broadcast to (k, w)
        Variance over mean, at least 1.
    strength : array-like of shape (k,)
        Gamma shape of each level, above 0.
    windows : tuple of int, optional
        Their minutes; the first w of `rise.RISE_WINDOWS` by default.
    parent_of : callable
        The tree; ISO codes by default.

    Returns
    -------
    Place
        See there.

    Raises
    ------
    ValueError
        If the nodes are no tree or the shapes do not fit.

    Notes
    -----
    Cost O(k · w · 9), see `tree.locate`.

    Examples
    --------
    >>> import numpy as np
    >>> minutes = np.array([5, 15, 60])
    >>> usual = np.array([0.07, 0.05, 0.02, 0.02])[:, None] * minutes
    >>> seen = np.array([[9], [8], [8], [0]]) * np.ones((1, 3))
    >>> found = place(["", "US", "US-TX", "US-CA"], seen, usual, 1.0, [30.0] * 4, windows=(5, 15, 60))
    >>> found.root, found.regions, found.is_settled
    ('US-TX', ['US-TX'], True)
    """
    order = sorted(range(len(nodes)), key=lambda row: (len(ancestors(nodes[row], parent_of=parent_of)), nodes[row]))
    names = [nodes[row] for row in order]
    row_of = {name: row for row, name in enumerate(names)}
    above = [-1 if (over := parent_of(name)) is None else row_of.get(over, -1) for name in names]
    if above.count(-1) != 1:
        raise ValueError("nodes must form one tree: the parent of each but one among them")
    own_seen, own_usual = (np.array(np.asarray(a, dtype=np.float64)[order]) for a in (observed, expected))
    for row in range(1, len(names)):
        own_seen[above[row]] -= np.asarray(observed, dtype=np.float64)[order[row]]
        own_usual[above[row]] -= np.asarray(expected, dtype=np.float64)[order[row]]
    spread = np.broadcast_to(np.asarray(dispersion, dtype=np.float64), own_seen.shape)[order]
    found = locate(
        above,
        np.maximum(own_seen, 0.0),
        np.maximum(own_usual, 1e-6),
        spread,
        np.asarray(strength, dtype=np.float64)[order],
        windows=windows,
    )
    is_settled = found.confidence >= SETTLED
    chosen = {name for name, is_in in zip(names, found.chosen.tolist(), strict=True) if is_in}
    regions = _in_short(chosen, names, above) if is_settled else [names[0]]
    lineages = [[region, *ancestors(region, parent_of=parent_of)] for region in regions]
    root = next(node for node in lineages[0] if all(node in lineage for lineage in lineages))
    p_concerned = dict(zip(names, found.p_any.tolist(), strict=True))
    return Place(root, regions, p_concerned, found.confidence, is_settled)


def _in_short(chosen: set[str], names: list[str], above: list[int]) -> list[str]:
    """Name a node instead of its parts where all of them, and more than one, are chosen."""
    below: dict[str, set[str]] = {}
    for name, row in zip(names[1:], above[1:], strict=True):
        below.setdefault(names[row], set()).add(name)
    for name in reversed(names):
        parts = below.get(name, set())
        if len(parts) > 1 and parts <= chosen:
            chosen = (chosen - parts) | {name}
    return sorted(chosen)
