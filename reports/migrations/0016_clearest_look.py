"""When an outage was clearest, and from how many regions reports came then: what its sentence of evidence says.

Outages from before do not know; their sentence leaves both out.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0015_sources"),
    ]

    operations = [
        migrations.AddField(
            model_name="outage",
            name="peak_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outage",
            name="peak_n_regions",
            field=models.PositiveSmallIntegerField(null=True),
        ),
    ]
