"""Encoders learnt from the installation's own reports."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0006_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="LearntEncoder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("teacher", models.CharField(max_length=80)),
                ("weights", models.BinaryField()),
                ("n_texts", models.PositiveIntegerField()),
                ("agreement", models.FloatField()),
                (
                    "state",
                    models.CharField(
                        choices=[("trial", "On trial"), ("active", "Active"), ("retired", "Retired")], max_length=8
                    ),
                ),
                ("fitted_at", models.DateTimeField()),
                ("measured_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="learntencoder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "active")), fields=("state",), name="one_learnt_encoder_is_active"
            ),
        ),
    ]
