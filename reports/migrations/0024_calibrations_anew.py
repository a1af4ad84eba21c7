"""How texts are compared gained a figure: it is read anew from each service's sample with the next batch."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reports", "0023_machines")]

    # Backwards is the same: what is stored by then can't be read by what was before.
    operations = [
        migrations.RunSQL(
            "UPDATE reports_clusteringstate SET calibration = NULL",
            "UPDATE reports_clusteringstate SET calibration = NULL",
        )
    ]
