"""The rush flag. 2016-05 (RK)"""

from django.db import migrations

import sales.fields

V_OPEN_ORD = """
DROP VIEW v_open_ord;
CREATE VIEW v_open_ord AS
SELECT o.ord_no, o.ord_dt, o.req_dt, o.stat, o.rush_fl, o.tot_amt, o.curr,
       o.cust_no, c.cust_cd, c.nm AS cust_nm,
       (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AS ln_cnt
  FROM ord_hdr o LEFT JOIN customer c ON c.cust_no = o.cust_no
 WHERE o.stat IN (10, 20);
"""


V_OPEN_ORD_BEFORE = """
DROP VIEW v_open_ord;
CREATE VIEW v_open_ord AS
SELECT o.ord_no, o.ord_dt, o.req_dt, o.stat, o.tot_amt, o.curr,
       o.cust_no, c.cust_cd, c.nm AS cust_nm,
       (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AS ln_cnt
  FROM ord_hdr o LEFT JOIN customer c ON c.cust_no = o.cust_no
 WHERE o.stat IN (10, 20);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0003_stock_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="ordhdr",
            name="rush_fl",
            field=sales.fields.CharNField(
                choices=[("Y", "Yes"), ("N", "No")],
                db_default="N",
                default="N",
                max_length=1,
                verbose_name="rush",
            ),
        ),
        migrations.RunSQL(V_OPEN_ORD, V_OPEN_ORD_BEFORE),
    ]
