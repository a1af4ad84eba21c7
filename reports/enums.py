"""The words that are stored: states, kinds, scopes. Their values are contracts; a word may be added, never renamed."""

from __future__ import annotations

from django.db import models


class Channel(models.TextChoices):
    """The face through which a report came in."""

    FORM = "form", "Web form"
    REST = "rest", "REST"
    BULK = "bulk", "REST, bulk"
    REPLAY = "replay", "Replay"
    DRILL = "drill", "Drill"
    ALERTMANAGER = "alertmanager", "Alertmanager"
    CLOUDEVENTS = "cloudevents", "CloudEvents"
    SENTRY = "sentry", "Sentry feedback"


# Programs that speak for themselves: that they write alike, and by a clock, tells nothing against them.
MACHINE_CHANNELS = (Channel.ALERTMANAGER, Channel.CLOUDEVENTS)


class SourceAlarmKind(models.TextChoices):
    """What can be wrong with a source of reports."""

    SILENT = "silent", "Silent"
    COLLECTION_CHANGE = "collection_change", "Collected otherwise"


class Symptom(models.TextChoices):
    """What a reporter sees, in the words of the form's chips."""

    DOWN = "down", "Nothing works"
    LOGIN = "login", "Can't log in"
    SLOW = "slow", "Slow"
    ERRORS = "errors", "Error messages"
    CONNECTION = "connection", "No connection"
    PAYMENT = "payment", "Payment fails"
    DATA = "data", "Wrong or missing data"
    APP = "app", "App crashes"
    OTHER = "other", "Something else"


class Suspicion(models.TextChoices):
    """Why a report is held back in quarantine: what it gave away by itself, then what only many together do."""

    TRAP = "trap", "Filled a field that people don't see"
    TOO_FAST = "too_fast", "Sent quicker than anybody types"
    NO_PROOF = "no_proof", "No proof of work"
    NETWORKS = "networks", "Too few networks for so many reports"
    ONE_NETWORK = "one_network", "One network all day"
    COPIES = "copies", "Copies of one long text"
    CLOCKWORK = "clockwork", "Too even a rhythm"


class Verdict(models.TextChoices):
    """What a person said of reports in quarantine."""

    OPEN = "open", "Not judged"
    RELEASED = "released", "Released"
    ATTACK = "attack", "Attack"


class Scope(models.TextChoices):
    """What an API key may do."""

    INTAKE = "intake", "Send reports"
    READ = "read", "Read outages and clusters"
    MANAGE = "manage", "Manage services"
    PRIVACY = "privacy", "Export and erase reports"
    PUBLIC = "public", "Send feedback from web pages; everybody sees this key"


class Role(models.TextChoices):
    """What a member of staff may do; each role may do what the ones before it may. Stored as the name of a group."""

    VIEWER = "viewer", "Viewer"
    RESPONDER = "responder", "Responder"
    ADMIN = "admin", "Admin"


class OutageState(models.TextChoices):
    SUSPECTED = "suspected", "Suspected"
    CONFIRMED = "confirmed", "Confirmed"
    RECOVERING = "recovering", "Recovering"
    RESOLVED = "resolved", "Resolved"
    DISMISSED = "dismissed", "Dismissed"


class Severity(models.TextChoices):
    """How bad an outage is, in the words of Statuspage's impacts; from better to worse."""

    MINOR = "minor", "Minor"
    MAJOR = "major", "Major"
    CRITICAL = "critical", "Critical"


OPEN_STATES = (OutageState.SUSPECTED, OutageState.CONFIRMED, OutageState.RECOVERING)


class EventKind(models.TextChoices):
    """What happened to an outage. The detector's kinds and people's kinds are told apart by `actor`."""

    SUSPECTED = "suspected", "Suspected"
    CONFIRMED = "confirmed", "Confirmed"
    RECOVERING = "recovering", "Recovering"
    RELAPSED = "relapsed", "Reports rose again"
    LOCATED = "located", "Place found"
    WIDENED = "widened", "Spread to more regions"
    RESOLVED = "resolved", "Resolved"
    FADED = "faded", "Faded without confirmation"
    WITHDRAWN = "withdrawn", "Withdrawn, its reports are held back"
    HELD_BACK = "held_back", "Not confirmed"
    DISMISSED = "dismissed", "Dismissed"
    ASSIGNED = "assigned", "Assigned"
    NOTED = "noted", "Note"


class HeldBack(models.TextChoices):
    """Why the detector does not confirm what rises clearly enough."""

    NO_FAILURE = "no_failure", "Its reports tell of no failure"
    AFTERTALK = "aftertalk", "Talk after an outage"


class CorrectionKind(models.TextChoices):
    """What a person says of clusters and of what they hold."""

    MERGE = "merge", "Merged"
    SPLIT = "split", "Split"
    RENAME = "rename", "Renamed"
    MOVE = "move", "Moved reports"
    SCREEN = "screen", "Said whether these are problem reports"
    JUDGE = "judge", "Said what reports in quarantine are"


class ErasureWay(models.TextChoices):
    """By whose wish reports were erased."""

    RECEIPT = "receipt", "By receipt link"
    API = "api", "By API"
    STAFF = "staff", "By staff"


class EncoderState(models.TextChoices):
    """A learnt encoder's way: measured, in use, no longer in use."""

    TRIAL = "trial", "On trial"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class WhatIfState(models.TextChoices):
    """Where a question "what would have happened" stands. A worker that has done a part of it lets it wait again."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Being worked out"
    DONE = "done", "Answered"
    FAILED = "failed", "Not answered"


class ServiceState(models.TextChoices):
    """What the public is told of a service, in the words of Statuspage components (CONVENTIONS: never invented)."""

    OPERATIONAL = "operational", "Operational"
    DEGRADED = "degraded_performance", "Users report problems"
    PARTIAL_OUTAGE = "partial_outage", "Outage in some regions"
    MAJOR_OUTAGE = "major_outage", "Outage"
