"""How reports scatter within minutes, and what quiet days teach of false alarms: learnt, and therefore rebuildable."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0016_clearest_look"),
    ]

    operations = [
        migrations.AddField(
            model_name="serviceprofile",
            name="scatter_squares",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=3),
        ),
        migrations.AddField(
            model_name="serviceprofile",
            name="scatter_expected",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=3),
        ),
        migrations.CreateModel(
            name="QuietDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("stratum", models.PositiveSmallIntegerField()),
                ("minutes", models.FloatField()),
                ("peaks", django.contrib.postgres.fields.ArrayField(models.FloatField(), default=list)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("day", "stratum"), name="a_quiet_day_is_judged_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FleetTable",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("offsets", django.contrib.postgres.fields.ArrayField(models.FloatField(), size=6)),
                ("scatter_squares", django.contrib.postgres.fields.ArrayField(models.FloatField(), size=18)),
                ("scatter_expected", django.contrib.postgres.fields.ArrayField(models.FloatField(), size=18)),
            ],
        ),
    ]
