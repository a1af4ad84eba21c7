"""What is suspect is held back: groups in quarantine, the placements in them, and what people say of them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

REASONS = [
    ("trap", "Filled a field that people don't see"),
    ("too_fast", "Sent quicker than anybody types"),
    ("no_proof", "No proof of work"),
    ("networks", "Too few networks for so many reports"),
    ("one_network", "One network all day"),
    ("copies", "Copies of one long text"),
    ("clockwork", "Too even a rhythm"),
]
KINDS_OF_EVENTS = [
    ("suspected", "Suspected"),
    ("confirmed", "Confirmed"),
    ("recovering", "Recovering"),
    ("relapsed", "Reports rose again"),
    ("located", "Place found"),
    ("widened", "Spread to more regions"),
    ("resolved", "Resolved"),
    ("faded", "Faded without confirmation"),
    ("withdrawn", "Withdrawn, its reports are held back"),
    ("held_back", "Not confirmed"),
    ("dismissed", "Dismissed"),
    ("assigned", "Assigned"),
    ("noted", "Note"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0019_failing"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outageevent",
            name="kind",
            field=models.CharField(choices=KINDS_OF_EVENTS, max_length=12),
        ),
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reports.service",
                    ),
                ),
                ("day", models.DateField()),
                ("reason", models.CharField(choices=REASONS, max_length=20)),
                ("mark", models.BinaryField(max_length=16)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("open", "Not judged"), ("released", "Released"), ("attack", "Attack")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("judged_at", models.DateTimeField(null=True)),
                ("n_reports", models.PositiveIntegerField(default=0)),
                ("evidence", models.JSONField(default=dict)),
                ("opened_at", models.DateTimeField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="quarantine",
            constraint=models.UniqueConstraint(
                fields=["service", "day", "reason", "mark"], name="one_quarantine_per_day_reason_and_mark"
            ),
        ),
        migrations.AddConstraint(
            model_name="quarantine",
            constraint=models.CheckConstraint(
                condition=Q(verdict="open") ^ Q(judged_at__isnull=False), name="a_quarantine_is_judged_at_a_moment"
            ),
        ),
        migrations.AddIndex(
            model_name="quarantine", index=models.Index(fields=["-last_at"], name="quarantine_by_last_report")
        ),
        migrations.AddField(
            model_name="report",
            name="suspicion",
            field=models.CharField(blank=True, choices=REASONS, db_default="", default="", max_length=20),
        ),
        migrations.AddField(
            model_name="placement", name="is_quarantined", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            model_name="placement",
            name="quarantine",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reports.quarantine",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=~(Q(is_quarantined=True) & (Q(is_counted=True) | Q(is_set_aside=True))),
                name="what_is_in_quarantine_is_neither_counted_nor_set_aside",
            ),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=Q(quarantine__isnull=False),
                fields=["quarantine", "-counted_at"],
                name="placement_of_quarantine",
            ),
        ),
        migrations.RemoveConstraint(model_name="minutecount", name="what_is_set_aside_does_not_count"),
        migrations.AddField(
            model_name="minutecount", name="n_quarantined", field=models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.AddConstraint(
            model_name="minutecount",
            constraint=models.CheckConstraint(
                condition=Q(n_reports__gte=F("n_counted") + F("n_set_aside") + F("n_quarantined")),
                name="what_is_held_back_does_not_count",
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("merge", "Merged"),
                    ("split", "Split"),
                    ("rename", "Renamed"),
                    ("move", "Moved reports"),
                    ("screen", "Said whether these are problem reports"),
                    ("judge", "Said what reports in quarantine are"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="quarantine",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="reports.quarantine",
            ),
        ),
        migrations.AddField(model_name="correction", name="is_attack", field=models.BooleanField(null=True)),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=Q(kind="judge", quarantine__isnull=False, is_attack__isnull=False)
                | (~Q(kind="judge") & Q(quarantine__isnull=True, is_attack__isnull=True)),
                name="only_a_judgement_says_what_a_quarantine_is",
            ),
        ),
    ]
