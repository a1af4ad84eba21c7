"""Sources of reports: which key a report came with, what each source brings by hour, what is usual, and alarms."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

CHANNELS = [("form", "Web form"), ("rest", "REST"), ("bulk", "REST, bulk"), ("replay", "Replay"), ("drill", "Drill")]


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0014_severity"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="key",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reports.apikey",
            ),
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(choices=CHANNELS, max_length=12)),
                ("first_heard_at", models.DateTimeField()),
                (
                    "rates_per_hour",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None),
                ),
                ("dispersion", models.FloatField(default=1.0)),
                ("log10_rarest", models.FloatField(default=0.0)),
                ("learned_until", models.DateTimeField(null=True)),
                ("looked_at", models.DateTimeField(null=True)),
                ("watched_since", models.DateTimeField(null=True)),
                (
                    "unwatched",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateTimeField(), db_default=[], default=list, size=None
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reports.apikey",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.UniqueConstraint(
                fields=("channel", "key"), name="one_source_per_channel_and_key", nulls_distinct=False
            ),
        ),
        migrations.CreateModel(
            name="SourceCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "service_id",
                        "source_id",
                        "region",
                        "hour",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=6)),
                ("hour", models.DateTimeField()),
                (
                    "bins",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=12),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.service",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.source",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="sourcecount",
            index=models.Index(fields=["hour"], name="source_count_by_hour"),
        ),
        migrations.CreateModel(
            name="SourceProfile",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source_id", "service_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "rates_per_hour",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=168),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=6), size=None
                    ),
                ),
                ("shares", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.service",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.source",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SourceAlarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("silent", "Silent"), ("collection_change", "Collected otherwise")], max_length=20
                    ),
                ),
                ("since", models.DateTimeField()),
                ("found_at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alarms",
                        to="reports.source",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="sourcealarm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until__isnull", True)),
                fields=("source", "kind"),
                name="one_open_alarm_per_source_and_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcealarm",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__isnull", True), ("until__gte", models.F("found_at")), _connector="OR"),
                name="a_source_alarm_ends_after_it_began",
            ),
        ),
        migrations.AddIndex(
            model_name="sourcealarm",
            index=models.Index(fields=["source", "since"], name="source_alarm_by_time"),
        ),
    ]
