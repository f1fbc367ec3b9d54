"""Partners send orders themselves. 2017-03 (DM)"""

from django.db import migrations, models

import sales.fields

V_OPEN_ORD = """
DROP VIEW v_open_ord;
CREATE VIEW v_open_ord AS
SELECT o.ord_no, o.ord_dt, o.req_dt, o.stat, o.rush_fl, o.prt_cd, o.ext_ref, o.tot_amt, o.curr,
       o.cust_no, c.cust_cd, c.nm AS cust_nm,
       (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AS ln_cnt
  FROM ord_hdr o LEFT JOIN customer c ON c.cust_no = o.cust_no
 WHERE o.stat IN (10, 20);
"""


V_OPEN_ORD_BEFORE = """
DROP VIEW v_open_ord;
CREATE VIEW v_open_ord AS
SELECT o.ord_no, o.ord_dt, o.req_dt, o.stat, o.rush_fl, o.tot_amt, o.curr,
       o.cust_no, c.cust_cd, c.nm AS cust_nm,
       (SELECT count(*) FROM ord_dtl d WHERE d.ord_no = o.ord_no) AS ln_cnt
  FROM ord_hdr o LEFT JOIN customer c ON c.cust_no = o.cust_no
 WHERE o.stat IN (10, 20);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0004_rush_flag"),
    ]

    operations = [
        migrations.CreateModel(
            name="Partner",
            fields=[
                (
                    "prt_cd",
                    sales.fields.CharNField(max_length=8, primary_key=True, serialize=False, verbose_name="code"),
                ),
                ("nm", models.CharField(max_length=80, verbose_name="name")),
                ("api_tok", models.CharField(max_length=64, verbose_name="token")),
                ("basic_pw", models.CharField(max_length=64, verbose_name="password")),
                ("prc_lst", sales.fields.CharNField(default="STD", max_length=4, verbose_name="price list")),
                (
                    "act_fl",
                    sales.fields.CharNField(
                        choices=[("Y", "Yes"), ("N", "No")],
                        db_default="Y",
                        default="Y",
                        max_length=1,
                        verbose_name="active",
                    ),
                ),
                (
                    "contact",
                    models.CharField(blank=True, default="", max_length=120, verbose_name="contact e-mail"),
                ),
            ],
            options={
                "db_table": "partner",
            },
        ),
        migrations.CreateModel(
            name="ImpErr",
            fields=[
                ("err_no", models.AutoField(primary_key=True, serialize=False)),
                (
                    "imp_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="uploaded"),
                ),
                ("prt_cd", sales.fields.CharNField(max_length=8, verbose_name="partner")),
                ("row_no", models.IntegerField(verbose_name="row")),
                ("msg", models.CharField(max_length=80, verbose_name="message")),
                ("raw", models.CharField(blank=True, default="", max_length=200, verbose_name="row text")),
            ],
            options={
                "verbose_name": "upload error",
                "db_table": "imp_err",
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="src_cd",
            field=sales.fields.CharNField(
                blank=True, db_default="", default="", max_length=8, verbose_name="brought by"
            ),
        ),
        migrations.AddField(
            model_name="ordhdr",
            name="prt_cd",
            field=sales.fields.CharNField(blank=True, max_length=8, null=True, verbose_name="partner"),
        ),
        migrations.AddField(
            model_name="ordhdr",
            name="ext_ref",
            field=models.CharField(blank=True, max_length=40, null=True, verbose_name="partner's reference"),
        ),
        migrations.AddIndex(
            model_name="ordhdr",
            index=models.Index(fields=["prt_cd", "-ord_dt"], name="ord_hdr_prt_ix"),
        ),
        migrations.RunSQL(V_OPEN_ORD, V_OPEN_ORD_BEFORE),
    ]
