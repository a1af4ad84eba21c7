"""The clocks and holidays a service lives by, and by which time zone its profile was learnt."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0017_quiet_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="service",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="service",
            name="holidays",
            field=django.contrib.postgres.fields.ArrayField(
                models.DateField(), blank=True, db_default=[], default=list, size=400
            ),
        ),
        migrations.AddField(
            model_name="serviceprofile",
            name="time_zone",
            field=models.CharField(db_default="UTC", default="UTC", max_length=64),
        ),
    ]
