"""Which words spoke against a report that was set aside, for a person to check."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0009_learnt_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="set_aside_for",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), db_default=[], default=list, size=None
            ),
        ),
    ]
