"""The calibration of a service row by row, written with every batch: a restart in mid-stream changes nothing."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0007_learnt_encoders"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="clusteringstate",
            name="mean_n",
        ),
        migrations.RemoveField(
            model_name="clusteringstate",
            name="sample",
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="calibration",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="group_factor",
            field=models.FloatField(db_default=1.0, default=1.0),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="mean_counts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="mean_languages",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="n_refinements",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="n_seen",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="usual",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="microcluster",
            name="n_refined",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="SampleVector",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "service_id", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField()),
                ("language_row", models.PositiveSmallIntegerField(default=0)),
                ("heard_at", models.DateTimeField()),
                ("vector", models.BinaryField()),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.service",
                    ),
                ),
            ],
        ),
    ]
