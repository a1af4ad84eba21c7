"""The tables. Rules that must hold are constraints with telling names; what happens with rows lives in the stages.

Facts (Report, Placement, OutageEvent) are append-only, but for what their reporters have the right to take back.
"""

from reports.models.apikey import ApiKey
from reports.models.baseline import FleetTable, QuietDay, ServiceProfile, StreamLevel
from reports.models.cluster import Cluster, ClusteringState, MicroCluster, MinuteCount, Placement, SampleVector
from reports.models.correction import ClusterBarrier, Correction, ScreeningExample
from reports.models.encoder import LearntEncoder
from reports.models.erasure import Erasure
from reports.models.outage import Outage, OutageEvent
from reports.models.places import Service
from reports.models.quarantine import Quarantine
from reports.models.report import FingerprintSalt, IdempotencyKey, IntakeBatch, Report, ReportContact
from reports.models.source import Source, SourceAlarm, SourceCount, SourceProfile
from reports.models.what_if import WhatIf

__all__ = [
    "ApiKey",
    "Cluster",
    "ClusterBarrier",
    "ClusteringState",
    "Correction",
    "Erasure",
    "FingerprintSalt",
    "FleetTable",
    "IdempotencyKey",
    "IntakeBatch",
    "LearntEncoder",
    "MicroCluster",
    "MinuteCount",
    "Outage",
    "OutageEvent",
    "Placement",
    "Quarantine",
    "QuietDay",
    "Report",
    "ReportContact",
    "SampleVector",
    "ScreeningExample",
    "Service",
    "ServiceProfile",
    "Source",
    "SourceAlarm",
    "SourceCount",
    "SourceProfile",
    "StreamLevel",
    "WhatIf",
]
