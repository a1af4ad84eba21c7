"""What a report says fails now, beside whether it is a problem report at all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0018_local_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="p_failing",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="placement",
            name="tells_failure",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="minutecount",
            name="n_no_failure",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="minutecount",
            constraint=models.CheckConstraint(
                condition=models.Q(("n_no_failure__lte", models.F("n_counted"))),
                name="no_more_without_failure_than_counted",
            ),
        ),
        migrations.AddField(
            model_name="serviceprofile",
            name="mix_failing",
            field=models.FloatField(db_default=0.0, default=0.0),
        ),
        migrations.AddField(
            model_name="serviceprofile",
            name="mix_all",
            field=models.FloatField(db_default=0.0, default=0.0),
        ),
        migrations.AddField(
            model_name="outage",
            name="n_failing",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="outage",
            name="counts_failing",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="outage",
            name="held_back_for",
            field=models.CharField(
                blank=True,
                choices=[("no_failure", "Its reports tell of no failure"), ("aftertalk", "Talk after an outage")],
                db_default="",
                default="",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="outageevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("suspected", "Suspected"),
                    ("confirmed", "Confirmed"),
                    ("recovering", "Recovering"),
                    ("relapsed", "Reports rose again"),
                    ("located", "Place found"),
                    ("widened", "Spread to more regions"),
                    ("resolved", "Resolved"),
                    ("faded", "Faded without confirmation"),
                    ("held_back", "Not confirmed"),
                    ("dismissed", "Dismissed"),
                    ("assigned", "Assigned"),
                    ("noted", "Note"),
                ],
                max_length=12,
            ),
        ),
    ]
