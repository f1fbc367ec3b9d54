"""The customer file took 9 seconds for the big ones. 2023-09 (JT)"""

from django.db import migrations

INDEXES = """
CREATE INDEX audit_log_ref_ix ON audit_log (tbl, ref);
CREATE INDEX customer_nm_ix ON customer (upper(nm));
CREATE INDEX ord_hdr_ref_ix ON ord_hdr (prt_cd, ext_ref);
"""

INDEXES_BACK = """
DROP INDEX ord_hdr_ref_ix;
DROP INDEX customer_nm_ix;
DROP INDEX audit_log_ref_ix;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0007_monthly_sales"),
    ]

    operations = [
        migrations.RunSQL(INDEXES, INDEXES_BACK),
    ]
