"""Channels of machines and of Sentry's widget, and the scope of a key that stands in a web page: words only."""

import django.contrib.postgres.fields
from django.db import migrations, models

CHANNELS = [
    ("form", "Web form"),
    ("rest", "REST"),
    ("bulk", "REST, bulk"),
    ("replay", "Replay"),
    ("drill", "Drill"),
    ("alertmanager", "Alertmanager"),
    ("cloudevents", "CloudEvents"),
    ("sentry", "Sentry feedback"),
]
SCOPES = [
    ("intake", "Send reports"),
    ("read", "Read outages and clusters"),
    ("manage", "Manage services"),
    ("privacy", "Export and erase reports"),
    ("public", "Send feedback from web pages; everybody sees this key"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0022_erasures"),
    ]

    operations = [
        migrations.AlterField(
            model_name="report", name="channel", field=models.CharField(choices=CHANNELS, max_length=12)
        ),
        migrations.AlterField(
            model_name="source", name="channel", field=models.CharField(choices=CHANNELS, max_length=12)
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=SCOPES, max_length=10), size=None
            ),
        ),
    ]
