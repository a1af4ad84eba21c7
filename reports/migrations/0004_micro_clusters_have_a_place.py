"""Where and since when a wording is heard, and which code it names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0003_cluster_descriptions"),
    ]

    operations = [
        migrations.AddField(
            model_name="microcluster",
            name="country",
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name="microcluster",
            name="guard",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="microcluster",
            name="opened_at",
            field=models.DateTimeField(null=True),
        ),
    ]
