"""Questions of staff: what would have happened with another budget of false alarms."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0010_set_aside_reasons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WhatIf",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.PositiveSmallIntegerField()),
                ("budget_per_month", models.FloatField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Being worked out"),
                            ("done", "Answered"),
                            ("failed", "Not answered"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("n_claims", models.PositiveIntegerField(default=0)),
                ("n_deaths", models.PositiveSmallIntegerField(default=0)),
                ("heard_at", models.DateTimeField(null=True)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("answer", models.JSONField(null=True)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="reports.service"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["-created_at"], name="what_if_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")), fields=("state",), name="one_what_if_runs_at_a_time"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("service", "days", "budget_per_month"),
                        name="one_unanswered_what_if_of_a_kind",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("days__gte", 1), ("days__lte", 14)),
                        name="a_what_if_asks_for_a_fortnight_at_most",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("budget_per_month__gte", 0.05), ("budget_per_month__lte", 30.0)),
                        name="a_what_if_asks_for_a_budget_that_can_be_tested",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running"]), ("finished_at__isnull", False), _connector="XOR"
                        ),
                        name="answered_or_failed_what_ifs_and_only_they_have_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "failed"), ("failure", ""), _connector="XOR"),
                        name="a_failed_what_if_says_why",
                    ),
                ],
            },
        ),
    ]
