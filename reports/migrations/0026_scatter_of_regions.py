"""How a region's reports scatter by themselves: learnt, and so rebuildable; null until a quiet hour has taught it."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0025_rhythms")]

    operations = [
        migrations.AddField(
            model_name="streamlevel",
            name="scatter_squares",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=3),
        ),
        migrations.AddField(
            model_name="streamlevel",
            name="scatter_expected",
            field=django.contrib.postgres.fields.ArrayField(models.FloatField(), null=True, size=3),
        ),
    ]
