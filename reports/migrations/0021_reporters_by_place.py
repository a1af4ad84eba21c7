"""Outages know how many people report from each of their places: the public is told no place of a few people."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0020_quarantine")]

    operations = [
        migrations.AddField(
            model_name="outage", name="reporters_by_place", field=models.JSONField(db_default={}, default=dict)
        ),
    ]
