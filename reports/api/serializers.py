"""The shapes of the API as Django REST framework and the OpenAPI schema know them.

What is read is rendered by these. What is sent in is only *described* here: a report is decoded and checked by
`reports.intake.contract`, and a test holds the two together. (Fields named like something of the base class are taken
out of it by the framework's metaclass, which mypy can't know: hence the ignored assignments.)
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from reports.api.formats.cloudevents import EVENT_TYPE
from reports.enums import EventKind, OutageState, Severity, Symptom
from reports.intake.contract import MAX_CHARS
from reports.triage.catalogue import MAX_DESCRIPTION_CHARS, MAX_HOLIDAYS, MAX_NAME_CHARS, MAX_SLUG_CHARS


class Report(serializers.Serializer[Any]):
    """A report as it is handed in. `service` must be given, and one of `text` and `symptom`."""

    service = serializers.CharField(
        max_length=MAX_CHARS["service"], help_text="Slug or name of the service, in any case."
    )
    text = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["text"],
        help_text="What is wrong, in the reporter's words. Addresses, phone and card numbers and keys are blotted out.",
    )
    region = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["region"],
        help_text="ISO 3166-1 or 3166-2 code, such as DE or DE-BY; empty where it is not known.",
    )
    symptom = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["symptom"],
        help_text=f"One of: {', '.join(Symptom.values)}.",
    )
    occurred_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it happened, RFC 3339; without it, now."
    )
    reporter = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["reporter"],
        help_text="Your own lasting name for the reporter. Stored only as a fingerprint that changes every day.",
    )
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, allow_blank=True, max_length=MAX_CHARS["source"], help_text="The program that sends it."
    )
    url = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["url"],
        help_text="The page it happened on, http or https.",
    )
    release = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_CHARS["release"], help_text="The version of the program."
    )
    trace = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["trace"],
        help_text="W3C trace id, or a whole traceparent.",
    )
    lang = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_CHARS["lang"], help_text="Language of the text, BCP 47."
    )
    contact = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_CHARS["contact"],
        help_text="E-mail address of a reporter who wants to hear how it went on. Kept apart, and only for that.",
    )


class Receipt(serializers.Serializer[Any]):
    """The proof that a report is stored."""

    id = serializers.UUIDField(help_text="UUIDv7 of the report.")
    receipt_url = serializers.URLField(help_text="The page on which the reporter sees how it went on. Give it to them.")


class ItemError(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The field, or empty for the whole item.")
    message = serializers.CharField(help_text="What is wrong, and what would be right.")


class BatchItem(serializers.Serializer[Any]):
    """What became of one item: `id` and `receipt_url`, or `errors`."""

    item = serializers.IntegerField(min_value=0, help_text="Its position in the batch; blank lines do not count.")
    id = serializers.UUIDField(required=False)
    receipt_url = serializers.URLField(required=False)
    errors = ItemError(many=True, required=False)  # type: ignore[assignment]


class BatchAnswer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(min_value=0, help_text="How many items are stored.")
    rejected = serializers.IntegerField(min_value=0, help_text="How many items are not.")
    items = BatchItem(many=True)


class Alert(serializers.Serializer[Any]):
    """An alert of a message of Alertmanager's webhook; what else it holds is let pass."""

    status = serializers.ChoiceField(choices=["firing", "resolved"], help_text="Only what fires becomes a report.")
    labels = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="`service` names the service, `region` an ISO 3166 code.",
    )
    annotations = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="`summary`, `message` and `description` are what is told.",
    )
    startsAt = serializers.CharField(help_text="When it began to fire, RFC 3339.")
    generatorURL = serializers.CharField(required=False, allow_blank=True, help_text="The page of its rule.")
    fingerprint = serializers.CharField(
        required=False, allow_blank=True, help_text="The alert's name: with `startsAt` it counts once."
    )


class AlertMessage(serializers.Serializer[Any]):
    """A message of Alertmanager's webhook; what else it holds is let pass."""

    version = serializers.ChoiceField(choices=["4", "1"], help_text="4 is Alertmanager's, 1 Grafana's.")
    alerts = Alert(many=True)
    truncatedAlerts = serializers.IntegerField(
        required=False, min_value=0, help_text="How many were left out, by the receiver's `max_alerts`."
    )


class AlertOutcome(serializers.Serializer[Any]):
    """What became of one alert."""

    item = serializers.IntegerField(min_value=0, help_text="Its position in the message.")
    fingerprint = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(
        choices=["stored", "repeated", "resolved", "rejected"],
        help_text="Stored now; told before; over, so no report; or not taken, as `errors` says.",
    )
    id = serializers.UUIDField(required=False)
    receipt_url = serializers.URLField(required=False)
    errors = ItemError(many=True, required=False)  # type: ignore[assignment]


class AlertsAnswer(serializers.Serializer[Any]):
    stored = serializers.IntegerField(min_value=0)
    repeated = serializers.IntegerField(min_value=0)
    resolved = serializers.IntegerField(min_value=0)
    rejected = serializers.IntegerField(min_value=0)
    truncated = serializers.IntegerField(min_value=0, help_text="What Alertmanager says it left out.")
    items = AlertOutcome(many=True)


class CloudEvent(serializers.Serializer[Any]):
    """A CloudEvent 1.0 in its JSON format; other attributes are let pass."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    type = serializers.ChoiceField(choices=[EVENT_TYPE])
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="Who sends it, a URI reference. With `id` it names the event."
    )
    id = serializers.CharField(help_text="The event's own name: sent again it is answered as the first time.")
    time = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it happened, if `data` don't say."
    )
    datacontenttype = serializers.CharField(required=False, allow_null=True, help_text="JSON, which is the default.")
    traceparent = serializers.CharField(required=False, allow_null=True, help_text="W3C trace context, an extension.")
    data = Report(required=False)  # type: ignore[assignment]
    data_base64 = serializers.CharField(required=False, allow_null=True, help_text="The same report in Base64.")


class EnvelopeAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The envelope's event id, 32 hexadecimal digits.")


class ProblemError(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The field, query parameter or header; empty for the whole.")
    message = serializers.CharField(help_text="What is wrong, and what would be right.")
    pointer = serializers.CharField(required=False, help_text="Where in the body, as a JSON pointer (RFC 6901).")
    item = serializers.IntegerField(required=False, min_value=0, help_text="The item's position in the batch.")


class Problem(serializers.Serializer[Any]):
    """An error, as RFC 9457 has it."""

    type = serializers.CharField(help_text="Lasting name of the kind of problem: urn:problem-type:outcry:…")
    title = serializers.CharField(help_text="What the kind means.")
    status = serializers.IntegerField(help_text="The HTTP status again.")
    detail = serializers.CharField(help_text="What happened this time, and the remedy.")
    instance = serializers.CharField(help_text="The path that was asked for.")
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]


class NewService(serializers.Serializer[Any]):
    """A service to be made."""

    slug = serializers.CharField(
        max_length=MAX_SLUG_CHARS, help_text="What reports and addresses call it: a-z, 0-9, dot, dash and underscore."
    )
    name = serializers.CharField(max_length=MAX_NAME_CHARS, help_text="What people call it.")
    description = serializers.CharField(required=False, allow_blank=True, max_length=MAX_DESCRIPTION_CHARS)
    is_public = serializers.BooleanField(required=False, default=True, help_text="Whether the status page shows it.")
    time_zone = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="By whose clocks its usual week is learnt, an IANA name; empty: the installation's.",
    )
    holidays = serializers.ListField(
        child=serializers.DateField(),
        required=False,
        max_length=MAX_HOLIDAYS,
        help_text="Days on which users behave as on a Sunday.",
    )


class Service(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField(help_text="Whether it takes reports.")
    is_public = serializers.BooleanField(help_text="Whether the status page shows it.")
    position = serializers.IntegerField(min_value=0, help_text="Its place in the lists.")
    time_zone = serializers.CharField(
        allow_blank=True, help_text="By whose clocks its usual week is learnt; empty: the installation's."
    )
    holidays = serializers.ListField(
        child=serializers.DateField(), help_text="Days on which users behave as on a Sunday."
    )
    created_at = serializers.DateTimeField()


class ServiceList(serializers.Serializer[Any]):
    services = Service(many=True)


class Outage(serializers.Serializer[Any]):
    """What an outage is now. Times are UTC; `started_at` is estimated backwards, the others are when it was known."""

    id = serializers.IntegerField()
    service = serializers.CharField(help_text="Slug of the service.")
    state = serializers.ChoiceField(choices=OutageState.choices)
    label = serializers.CharField(  # type: ignore[assignment]
        allow_blank=True, help_text="What the reports are about."
    )
    severity = serializers.ChoiceField(
        choices=Severity.choices,
        help_text="By the share of a usual day's reporters and by spread; the worst so far.",
    )
    scope_region = serializers.CharField(allow_blank=True, help_text="The place it is about; empty: everywhere.")
    is_located = serializers.BooleanField(help_text="False: too early to say where; the scope is empty then.")
    regions = serializers.ListField(child=serializers.CharField(), help_text="Every region that stands out.")
    cluster_id = serializers.IntegerField(allow_null=True, help_text="The one cluster that explains it, if one does.")
    is_confirmed_by_person = serializers.BooleanField()
    assignee = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField()
    suspected_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True, help_text="When it was resolved or dismissed.")
    n_reports = serializers.IntegerField(min_value=0)
    n_reporters = serializers.IntegerField(min_value=0)
    observed = serializers.IntegerField(min_value=0, help_text="Reports in the window of the last look.")
    expected = serializers.FloatField(min_value=0, help_text="How many are usual in such a window.")
    window_minutes = serializers.IntegerField(min_value=1)
    p_value = serializers.FloatField(help_text="Chance of so many at the usual rate.")
    peak_p_value = serializers.FloatField(help_text="The least that chance ever was.")
    evaluated_at = serializers.DateTimeField(help_text="The last look.")
    together_with = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Open outages of other services that began within a quarter of an hour of it, in the same place.",
    )


class OutagePage(serializers.Serializer[Any]):
    outages = Outage(many=True)
    next_before_id = serializers.IntegerField(
        allow_null=True, help_text="Give it as `before` to read on; null on the last page."
    )


class Event(serializers.Serializer[Any]):
    """One thing that happened to an outage, never changed afterwards."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True, help_text="User name, or empty for the detector.")
    body = serializers.DictField(help_text="The evidence, or what the person said.")


class OutageStory(Outage):
    """An outage with its events, oldest first."""

    events = Event(many=True)


class Cluster(serializers.Serializer[Any]):
    """Reports of one service that tell the same problem."""

    id = serializers.IntegerField(help_text="Of the cluster asked for, or of the one it has gone up in.")
    service = serializers.CharField(help_text="Slug of the service.")
    name = serializers.CharField(allow_blank=True, help_text="The name a person gave it, else its label.")
    label = serializers.CharField(  # type: ignore[assignment]
        allow_blank=True, help_text="What the machine calls it, after its reporters' own words."
    )
    terms = serializers.ListField(child=serializers.CharField(), help_text="The words that set it apart.")
    term_shares = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        help_text="For each of `terms`, in which share of its reports it stands; may be empty for a young cluster.",
    )
    languages = serializers.ListField(child=serializers.CharField(), help_text="Codes, the commonest first.")
    regions = serializers.ListField(child=serializers.CharField(), help_text="Codes, the commonest first.")
    cohesion = serializers.FloatField(
        allow_null=True, help_text="How alike two of its reports are on average (cosine); null while it holds one."
    )
    n_reports = serializers.IntegerField(min_value=0)
    n_set_aside = serializers.IntegerField(
        min_value=0, help_text="How many of them read as no problem report and do not count."
    )
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class HeldContact(serializers.Serializer[Any]):
    address = serializers.CharField(help_text="E-mail address the reporter left.")
    given_at = serializers.DateTimeField()


class HeldPlacement(serializers.Serializer[Any]):
    """Where a report was placed, and what was made of it."""

    cluster_id = serializers.IntegerField()
    placed_at = serializers.DateTimeField()
    similarity = serializers.FloatField(help_text="How alike it is to what it was placed with (cosine).")
    is_counted = serializers.BooleanField(help_text="Whether detection counts it; a reporter counts once an hour.")
    is_set_aside = serializers.BooleanField(help_text="Whether it reads as no problem report.")
    set_aside_for = serializers.ListField(child=serializers.CharField(), help_text="The words that spoke against it.")
    p_problem = serializers.FloatField(allow_null=True, help_text="How likely it is a problem report.")
    p_failing = serializers.FloatField(allow_null=True, help_text="How likely it tells that something fails now.")
    tells_failure = serializers.BooleanField()
    quarantine = serializers.CharField(allow_blank=True, help_text="Why it is held back as suspect; empty: it is not.")


class HeldReport(serializers.Serializer[Any]):
    """A report with all that is kept of it, and nothing of anybody else."""

    format = serializers.CharField(help_text="The name of this shape.")
    id = serializers.UUIDField()
    service = serializers.CharField(help_text="Slug of the service.")
    channel = serializers.CharField(help_text="The face it came through.")
    key = serializers.CharField(allow_blank=True, help_text="Name of the API key it came with.")
    region = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True, help_text="As it is stored; empty where it was erased.")
    symptom = serializers.CharField(allow_blank=True)
    lang = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    url = serializers.CharField(allow_blank=True)
    release = serializers.CharField(allow_blank=True)
    trace = serializers.CharField(allow_blank=True)
    suspicion = serializers.CharField(allow_blank=True, help_text="What it gave away by itself; empty: nothing.")
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    counted_at = serializers.DateTimeField()
    kept_until = serializers.DateTimeField(help_text="When the report is deleted with the others of its day.")
    erased_at = serializers.DateTimeField(allow_null=True)
    reporter_fingerprint = serializers.CharField(
        allow_blank=True, help_text="Under a salt that is forgotten after two days; hexadecimal."
    )
    network_fingerprint = serializers.CharField(allow_blank=True, help_text="Likewise, of the reporter's network.")
    contact = HeldContact(allow_null=True)
    placement = HeldPlacement(allow_null=True, help_text="Null until it is placed.")
    said_to_be_a_problem = serializers.BooleanField(
        allow_null=True, help_text="What staff said of it for screening to learn from; null: nothing."
    )
