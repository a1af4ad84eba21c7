"""What reads as no problem report is kept, counted apart, and does not feed detection."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0004_micro_clusters_have_a_place"),
    ]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="is_set_aside",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="placement",
            name="p_problem",
            field=models.FloatField(null=True),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("is_set_aside", True)),
                fields=["service", "-counted_at"],
                name="placement_set_aside",
            ),
        ),
        migrations.AddField(
            model_name="minutecount",
            name="n_set_aside",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="minutecount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "n_reports__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("n_counted"), "+", models.F("n_set_aside")
                        ),
                    )
                ),
                name="what_is_set_aside_does_not_count",
            ),
        ),
        migrations.CreateModel(
            name="ScreeningExample",
            fields=[
                ("report_id", models.UUIDField(primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("is_problem", models.BooleanField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="screeningexample",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.service"
            ),
        ),
    ]
