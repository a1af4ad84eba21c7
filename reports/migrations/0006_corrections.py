"""What people say of clusters, and what refinement must respect from then on."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0005_screening"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("merge", "Merged"),
                            ("split", "Split"),
                            ("rename", "Renamed"),
                            ("move", "Moved reports"),
                            ("screen", "Said whether these are problem reports"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "micro_cluster_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "report_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("is_problem", models.BooleanField(null=True)),
                ("text", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                ("refusal", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            model_name="correction",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="cluster",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="reports.cluster"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="into",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.cluster"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="service",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.service"
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("applied_at__isnull", True)), fields=["service", "id"], name="correction_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "screen"), ("is_problem__isnull", True), _connector="XOR"),
                name="only_screening_says_whether_it_is_a_problem",
            ),
        ),
        migrations.CreateModel(
            name="ClusterBarrier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.AddField(
            model_name="clusterbarrier",
            name="high",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.cluster"
            ),
        ),
        migrations.AddField(
            model_name="clusterbarrier",
            name="low",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.cluster"
            ),
        ),
        migrations.AddField(
            model_name="clusterbarrier",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reports.service"
            ),
        ),
        migrations.AddConstraint(
            model_name="clusterbarrier",
            constraint=models.UniqueConstraint(fields=("low", "high"), name="one_barrier_between_two_clusters"),
        ),
        migrations.AddConstraint(
            model_name="clusterbarrier",
            constraint=models.CheckConstraint(
                condition=models.Q(("low__lt", models.F("high"))), name="a_barrier_is_written_lower_id_first"
            ),
        ),
        migrations.AddField(
            model_name="microcluster",
            name="pinned_to",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reports.cluster",
            ),
        ),
    ]
