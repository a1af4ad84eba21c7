"""What a report told can be taken back: the row stays and says so, and each act of erasing is written down."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("reports", "0021_reporters_by_place"),
    ]

    operations = [
        migrations.AddField(model_name="report", name="erased_at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("intake", "Send reports"),
                        ("read", "Read outages and clusters"),
                        ("manage", "Manage services"),
                        ("privacy", "Export and erase reports"),
                    ],
                    max_length=10,
                ),
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "way",
                    models.CharField(
                        choices=[("receipt", "By receipt link"), ("api", "By API"), ("staff", "By staff")], max_length=8
                    ),
                ),
                ("n_reports", models.PositiveIntegerField()),
                (
                    "fingerprints_of",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), db_default=[], default=list, size=None
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
        migrations.AddIndex(model_name="erasure", index=models.Index(fields=["-at"], name="erasure_by_time")),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(condition=~Q(fingerprints_of=[]), fields=["at"], name="erasure_unfinished"),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=Q(way="staff", actor__isnull=False) | (~Q(way="staff") & Q(actor=None)),
                name="an_erasure_by_staff_and_only_it_has_an_actor",
            ),
        ),
    ]
