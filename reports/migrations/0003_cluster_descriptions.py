"""What people read of a cluster: whose words, which languages and regions, how alike, what it resembles."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_partition_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="cohesion",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="cluster",
            name="given_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="cluster",
            name="languages",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="cluster",
            name="regions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=6), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="cluster",
            name="resembles",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="reports.cluster",
            ),
        ),
        migrations.AddField(
            model_name="cluster",
            name="term_shares",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), default=list, size=None),
        ),
    ]
