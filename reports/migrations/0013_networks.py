"""Which network a report came from, as a fingerprint under the day's salt: five people in one office are one office."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0012_whether_located"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="network",
            field=models.BinaryField(db_default=b"", default=b"", max_length=16),
        ),
        migrations.AddField(
            model_name="placement",
            name="network",
            field=models.BinaryField(db_default=b"", default=b"", max_length=16),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("is_counted", True), models.Q(("network", b""), _negated=True)),
                fields=["service", "network", "counted_at"],
                name="placement_counted_network",
            ),
        ),
        migrations.AddField(
            model_name="outage",
            name="n_networks",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
