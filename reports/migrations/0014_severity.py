"""How bad an outage is, in Statuspage's words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0013_networks"),
    ]

    operations = [
        migrations.AddField(
            model_name="outage",
            name="severity",
            field=models.CharField(
                choices=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
                db_default="minor",
                default="minor",
                max_length=8,
            ),
        ),
    ]
