"""What Django cannot say: the old system's keyless log, real line keys, the board's view. 2014-07 (RK)"""

from django.db import migrations, models

import sales.fields

AUDIT_LOG = """
CREATE TABLE audit_log (
    at timestamp NOT NULL,
    who varchar(30) NOT NULL,
    what varchar(20) NOT NULL,
    tbl varchar(20) NOT NULL,
    ref varchar(40) NOT NULL DEFAULT '',
    txt text
)
"""

LINE_KEY = """
ALTER TABLE ord_dtl DROP CONSTRAINT ord_dtl_pkey;
ALTER TABLE ord_dtl ADD CONSTRAINT ord_dtl_pkey PRIMARY KEY (ord_no, ln_no);
ALTER TABLE ord_dtl ADD CONSTRAINT ord_dtl_dtl_id_key UNIQUE (dtl_id);
ALTER TABLE ord_dtl ADD CONSTRAINT ord_dtl_ord_no_fk FOREIGN KEY (ord_no) REFERENCES ord_hdr ON DELETE CASCADE;
"""

LINE_KEY_BACK = """
ALTER TABLE ord_dtl DROP CONSTRAINT ord_dtl_ord_no_fk;
ALTER TABLE ord_dtl DROP CONSTRAINT ord_dtl_dtl_id_key;
ALTER TABLE ord_dtl DROP CONSTRAINT ord_dtl_pkey;
ALTER TABLE ord_dtl ADD CONSTRAINT ord_dtl_pkey PRIMARY KEY (dtl_id);
"""

V_OPEN_ORD = """
CREATE VIEW v_open_ord AS
SELECT o.ord_no, o.ord_dt, o.req_dt, o.stat, o.tot_amt, o.curr, o.cust_no, c.cust_cd, c.nm AS cust_nm,
       (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AS ln_cnt
  FROM ord_hdr o LEFT JOIN customer c ON c.cust_no = o.cust_no
 WHERE o.stat IN (10, 20)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpenOrder",
            fields=[
                ("ord_no", models.IntegerField(primary_key=True, serialize=False)),
                ("ord_dt", sales.fields.LocalDateTimeField()),
                ("req_dt", models.DateField(null=True)),
                (
                    "stat",
                    models.SmallIntegerField(
                        choices=[
                            (10, "open"),
                            (20, "allocated"),
                            (30, "shipped"),
                            (40, "invoiced"),
                            (90, "cancelled"),
                        ]
                    ),
                ),
                ("tot_amt", models.DecimalField(decimal_places=2, max_digits=12)),
                ("curr", sales.fields.CharNField(max_length=3)),
                ("cust_no", models.IntegerField(null=True)),
                ("cust_cd", sales.fields.CharNField(max_length=8, null=True)),
                ("cust_nm", models.CharField(max_length=80, null=True)),
                ("ln_cnt", models.BigIntegerField()),
            ],
            options={
                "db_table": "v_open_ord",
                "managed": False,
            },
        ),
        migrations.RunSQL(AUDIT_LOG, "DROP TABLE audit_log"),
        migrations.RunSQL(LINE_KEY, LINE_KEY_BACK),
        migrations.RunSQL(V_OPEN_ORD, "DROP VIEW v_open_ord"),
    ]
