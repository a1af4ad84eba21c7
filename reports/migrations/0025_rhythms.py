"""A region's reports by hour of the day, which differ from its service's where clocks do."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0024_calibrations_anew")]

    operations = [
        migrations.AddField(
            model_name="streamlevel",
            name="day_n",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="streamlevel",
            name="day_e",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="streamlevel",
            name="day_shares",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=None),
        ),
    ]
