"""The beat table: what happens when nobody nudges. One plain sentence an entry.

Beat guarantees, nudges hasten: every stage would keep its promises with this table alone. `expires` keeps ticks
from piling up while no worker runs.
"""

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Every second, place the reports that no nudge has brought to a cluster yet.
    "cluster": {"task": "reports.cluster_pending", "schedule": 1.0, "options": {"expires": 2, "queue": "clustering"}},
    # Every 20 seconds, merge the clusters that have come to say the same thing.
    "refine": {"task": "reports.refine_pending", "schedule": 20.0, "options": {"expires": 20, "queue": "clustering"}},
    # Every 15 seconds, compare what is reported with what is usual, and move outages on.
    "detect": {"task": "reports.detect_pending", "schedule": 15.0, "options": {"expires": 15, "queue": "detection"}},
    # Every minute, work out what would have happened with another budget, where somebody has asked.
    "answer": {"task": "reports.answer_pending", "schedule": 60.0, "options": {"expires": 60}},
    # Every five minutes, see whether a source of reports has gone silent, and each hour learn what is usual for it.
    "sources": {"task": "reports.watch_sources", "schedule": 300.0, "options": {"expires": 300, "queue": "detection"}},
    # Every 10 seconds, store what processes that have died left in the spool.
    "spool": {"task": "reports.replay_spool", "schedule": 10.0, "options": {"expires": 10}},
    # Every minute, take the reports that came by mail, where there is a mailbox.
    "mailbox": {"task": "reports.poll_mailbox", "schedule": 60.0, "options": {"expires": 60}},
    # Every hour, make room for the coming days' reports.
    "partitions": {"task": "reports.make_partitions", "schedule": 3600.0, "options": {"expires": 3600}},
    # Every six hours, forget keys, placed batches, fingerprint salts and what-ifs that have served their time.
    "forget": {"task": "reports.forget_expired", "schedule": 21600.0, "options": {"expires": 21600}},
    # Every hour, forget reports and counts that are kept no longer, whole days of them at once.
    "retention": {"task": "reports.forget_old", "schedule": 3600.0, "options": {"expires": 3600}},
    # Every night, judge the day before, so that false alarms keep to their budget here.
    "fleet": {
        "task": "reports.refresh_fleet",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 10800, "queue": "detection"},
    },
    # Every night, learn an encoder from the latest reports, and use it only where it is better than the one in use.
    "learn": {
        "task": "reports.learn_encoder",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 10800},
    },
}
