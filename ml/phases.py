"""The life of an outage: quiet, suspected, confirmed, recovering, resolved.

A pure table of moves with hysteresis: it takes far more evidence to open an outage than to keep it open, and an hour
of quiet to end it, so that one real outage is one outage and not a flicker of many. The thresholds come from a budget
of false alarms. Not here: the p-values that drive it (`detect`), and what people decide about an outage.
"""

from dataclasses import dataclass
from enum import StrEnum

from ml.budget import allowed_rarity


class Phase(StrEnum):
    """Where an outage stands.

    `RESOLVED` without ever having been `CONFIRMED` is one that faded unconfirmed.
    """

    QUIET = "quiet"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


# A suspicion is looked at, a confirmation wakes people: one false suspicion a month is one false confirmation a year.
# That costs one to three reports more (`benchmarks/detection_known.py`).
CONFIRMATIONS_PER_SUSPICION = 1.0 / 12.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an outage moves from one phase to the next; `thresholds_for` makes them from a budget.

    Parameters
    ----------
    p_suspect : float
        `Evidence.p_value` below which an outage is suspected: false alarms a minute that are allowed.
    p_confirm : float
        The same for its confirmation. It counts on reports that are each a reporter's own.
    n_reporters_suspect, n_reporters_confirm : int
        Distinct reporters needed for either, whatever the p-value says.
    n_networks_confirm : int
        Distinct networks needed for a confirmation, where they are known.
    p_calm : float
        `Evidence.p_recent` above which a minute counts as quiet.
    p_over : float
        `Evidence.p_value` above which an outage may be over: what chance shows once a day.
    recovering_minutes, resolved_minutes : int
        Quiet minutes in a row until an outage is recovering, and until it is over.
    """

    p_suspect: float = allowed_rarity(1.0)
    p_confirm: float = allowed_rarity(CONFIRMATIONS_PER_SUSPICION)
    n_reporters_suspect: int = 3
    n_reporters_confirm: int = 5
    n_networks_confirm: int = 3
    p_calm: float = 0.05
    p_over: float = 1.0 / 1440.0
    recovering_minutes: int = 15
    resolved_minutes: int = 60


DEFAULT_THRESHOLDS = Thresholds()


def thresholds_for(false_alarms_per_month: float) -> Thresholds:
    """Give the thresholds that spend a budget of false suspicions a service and month.

    Raises
    ------
    ValueError
        If the budget is not above 0.

    Examples
    --------
    >>> thresholds_for(1.0) == DEFAULT_THRESHOLDS
    True
    """
    return Thresholds(
        p_suspect=allowed_rarity(false_alarms_per_month),
        p_confirm=allowed_rarity(false_alarms_per_month * CONFIRMATIONS_PER_SUSPICION),
    )


def step(
    phase: Phase,
    *,
    p_value: float,
    n_reporters: int,
    minutes_quiet: float,
    minutes_in_phase: float = 0.0,
    p_recent: float | None = None,
    n_networks: int | None = None,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Phase:
    """Decide where an outage stands after another look; one move at most.

    Parameters
    ----------
    phase : Phase
        Where it stood.
    p_value, p_recent : float
        Of its `Evidence` now; without `p_recent` the full scan's p-value stands in.
    n_reporters : int
        Distinct reporters since it began (before it began: in the evidence's window).
    n_networks : int, optional
        Distinct networks they report from; without it they are not asked for.
    minutes_quiet : float
        Time in a row, up to now, with `p_recent` above `thresholds.p_calm`.
    minutes_in_phase : float
        Time since it entered `phase`.
    thresholds : Thresholds
        When to move.

    Returns
    -------
    Phase
        The same phase, or the next one.

    Notes
    -----
    ``quiet → suspected → confirmed ⇄ recovering → resolved``; a suspected outage that fades goes to resolved
    without having been confirmed. Resolved is final: what comes later is another outage.

    Examples
    --------
    >>> step(Phase.QUIET, p_value=1e-9, n_reporters=8, minutes_quiet=0)
    <Phase.SUSPECTED: 'suspected'>
    >>> step(Phase.SUSPECTED, p_value=1e-9, n_reporters=8, minutes_quiet=0)
    <Phase.CONFIRMED: 'confirmed'>
    """
    has_networks = n_networks is None or n_networks >= thresholds.n_networks_confirm
    now_p = p_value if p_recent is None else p_recent
    is_over = minutes_quiet >= thresholds.resolved_minutes and p_value > thresholds.p_over
    match phase:
        case Phase.QUIET:
            if p_value < thresholds.p_suspect and n_reporters >= thresholds.n_reporters_suspect:
                return Phase.SUSPECTED
        case Phase.SUSPECTED:
            has_reporters = n_reporters >= thresholds.n_reporters_confirm and has_networks
            if p_value < thresholds.p_confirm and has_reporters:
                return Phase.CONFIRMED
            if is_over:
                return Phase.RESOLVED
        case Phase.CONFIRMED:
            if minutes_quiet >= thresholds.recovering_minutes and minutes_in_phase >= thresholds.recovering_minutes:
                return Phase.RECOVERING
        case Phase.RECOVERING:
            if now_p < thresholds.p_suspect:
                return Phase.CONFIRMED
            if is_over:
                return Phase.RESOLVED
        case Phase.RESOLVED:
            pass
    return phase
