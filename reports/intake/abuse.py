"""What one sender may bring, and what a report of the form gives away: the only place that judges a report by itself.

Nothing is refused to people and nothing is told: a report that is suspect is stored, with its reason, and held back by
the clustering stage. Not here: what programs may bring by key (`key_limits`; those are told, for they can wait), and
what many reports give away together (`ml.suspicion`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer

from reports.enums import Suspicion
from reports.intake import buckets, proofs
from reports.intake.buckets import Bucket
from reports.intake.fingerprints import fingerprint, network_of

LEAST_SECONDS: Final = 2.0  # nobody chooses a service and a symptom sooner
# Proof of work is asked for while so little of a bucket is left, so that it is there when the bucket is empty.
NEARLY_EMPTY: Final = 0.2
_SALT: Final = "outcry.form"


@dataclass(frozen=True, slots=True)
class FormSigns:
    """What a form brings beside its report: its rendering's name and mark, the field nobody sees, a proof of work."""

    nonce: str
    mark: str
    trap: str = ""
    proof: str = ""


def form_mark(nonce: str, *, now: datetime) -> str:
    """Return a mark for a rendering of the form: when it was, signed."""
    return Signer(salt=_SALT, sep=".").sign(f"{nonce}:{now.timestamp():.1f}").removeprefix(f"{nonce}:")


def rendered_at(nonce: str, mark: str) -> float | None:
    """Return when the rendering of that name was made, epoch seconds; None where we made none."""
    if not mark or len(mark) > 200:
        return None
    try:
        signed = Signer(salt=_SALT, sep=".").unsign(f"{nonce}:{mark}")
    except BadSignature:
        return None
    seconds = signed.removeprefix(f"{nonce}:")
    return float(seconds) if re.fullmatch(r"\d{1,12}\.\d", seconds) else None


def suspicion_of(signs: FormSigns, *, service: str, address: str, now: datetime) -> str:
    """Return why a report of the form is suspect, "" where it is not; takes a token of its network and its service."""
    is_over = _is_over(service, address, now=now)
    if signs.trap:
        return Suspicion.TRAP
    made_at = rendered_at(signs.nonce, signs.mark)
    if made_at is None or now.timestamp() - made_at < LEAST_SECONDS:
        return Suspicion.TOO_FAST
    return Suspicion.NO_PROOF if is_over and not proofs.is_proof(signs.proof, now=now) else ""


def suspicion_in_a_crowd(*, service: str, address: str, now: datetime) -> str:
    """Return why a report from a web page is suspect that can't be asked for a proof of work, "" where it is not.

    Takes a token of its network and its service, the same that a report of the form takes.
    """
    is_over = _is_over(service, address, now=now)
    return Suspicion.NO_PROOF if is_over else ""


def asks_for_proof(*, service: str, address: str, now: datetime) -> bool:
    """Tell whether a report of that service from there should bring a proof of work."""
    of_sender = _form_buckets(service, address, now=now)
    levels = buckets.take(of_sender, cost=0)
    return any(
        level.tokens < max(NEARLY_EMPTY * bucket.capacity, 1) for bucket, level in zip(of_sender, levels, strict=True)
    )


def _is_over(service: str, address: str, *, now: datetime) -> bool:
    """Tell whether there is too much of a report's network, or of its service; takes a token of each.

    What a network brings too much takes none of its service, or one machine could have everybody's reports held back.
    """
    return any(
        level.wait_seconds
        for bucket in reversed(_form_buckets(service, address, now=now))
        for level in buckets.take([bucket])
    )


def _form_buckets(service: str, address: str, *, now: datetime) -> list[Bucket]:
    """Return the buckets a report of the form takes from, the network's last.

    The network's name is its fingerprint, never its address.
    """
    found = [Bucket(f"service:{service[:100]}", settings.FORM_REPORTS_PER_MINUTE)]
    if network := network_of(address):
        name = fingerprint("bucket", network, at=now).hex()
        found.append(Bucket(f"network:{name}", settings.FORM_REPORTS_OF_A_NETWORK_PER_MINUTE))
    return found
