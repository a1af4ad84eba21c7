"""Names of products that a service's reports are told apart by, and from how many texts they were learnt."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0008_exact_calibration"),
    ]

    operations = [
        migrations.AddField(
            model_name="clusteringstate",
            name="names",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="clusteringstate",
            name="names_learnt_at_n",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
