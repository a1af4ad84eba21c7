"""Reports are range-partitioned by day on their time-ordered id: one key, and retention drops a partition.

Django can't declare partitions, so the empty table of the first migration is made again as a partitioned one.
"""

from django.db import migrations

FORWARDS = """
ALTER TABLE reports_report RENAME TO reports_report_plain;
CREATE TABLE reports_report (LIKE reports_report_plain INCLUDING DEFAULTS) PARTITION BY RANGE (id);
DROP TABLE reports_report_plain;
ALTER TABLE reports_report ADD CONSTRAINT reports_report_pkey PRIMARY KEY (id);
ALTER TABLE reports_report ADD CONSTRAINT reports_report_service FOREIGN KEY (service_id) REFERENCES reports_service
(id); CREATE TABLE reports_report_default PARTITION OF reports_report DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_house")]

    # Backwards is a noop: a partitioned table serves the model of 0001 as well.
    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
