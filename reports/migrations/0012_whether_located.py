"""Whether it is known where an outage is, or too early to say."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0011_what_if"),
    ]

    operations = [
        migrations.AddField(
            model_name="outage",
            name="is_located",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
