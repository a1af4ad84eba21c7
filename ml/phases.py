"""The life of an outage: quiet, suspected, confirmed, recovering, resolved.

A pure table of moves with hysteresis: it takes far more evidence to open an outage than to keep it open, and an hour
of quiet to end it, so that one real outage is one outage and not a flicker of many. The thresholds come from a budget
of false alarms. Not here: the p-values that drive it (`detect`), and what people decide about an outage.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where an outage stands.

    `RESOLVED` without ever having been `CONFIRMED` is one that faded unconfirmed.
    """

    QUIET = "quiet"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an outage moves from one phase to the next.

    `p_suspect` keeps a budget of one false suspicion a stream and month, and leaves most of it to baselines that drift:
    with the rate known, a year of simulated quiet at each of 0.01 to 2 reports a minute, Poisson and with hourly
    dispersion 1.9, gives 0 to 0.17 suspicions a month and no confirmation (`benchmarks/detection.py`).

    `p_confirm` is a hundred times rarer, and the same simulation never reaches it. It counts on reports that are each
    a reporter's own: copied headlines about an outage reach 5e-7 where every copy is counted.

    Parameters
    ----------
    p_suspect : float
        Scan p-value below which an outage is suspected.
    p_confirm : float
        Scan p-value below which it is confirmed.
    n_reporters_suspect, n_reporters_confirm : int
        Distinct reporters needed for either, whatever the p-value says.
    p_calm : float
        Recent p-value above which a minute counts as quiet.
    recovering_minutes, resolved_minutes : int
        Quiet minutes in a row until an outage is recovering, and until it is over.
    """

    p_suspect: float = 1e-4
    p_confirm: float = 1e-6
    n_reporters_suspect: int = 3
    n_reporters_confirm: int = 5
    p_calm: float = 0.05
    recovering_minutes: int = 15
    resolved_minutes: int = 60


DEFAULT_THRESHOLDS = Thresholds()


def step(
    phase: Phase,
    *,
    p_value: float,
    n_reporters: int,
    minutes_quiet: float,
    minutes_in_phase: float = 0.0,
    p_recent: float | None = None,
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
    now_p = p_value if p_recent is None else p_recent
    is_over = minutes_quiet >= thresholds.resolved_minutes and p_value > thresholds.p_calm
    match phase:
        case Phase.QUIET:
            if p_value < thresholds.p_suspect and n_reporters >= thresholds.n_reporters_suspect:
                return Phase.SUSPECTED
        case Phase.SUSPECTED:
            if p_value < thresholds.p_confirm and n_reporters >= thresholds.n_reporters_confirm:
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
