"""Holidays for due dates; the table behind the monthly sheet. 2020-11 (JT)"""

from django.db import migrations, models

import sales.fields


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0006_documents_and_app_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalHol",
            fields=[
                ("hol_dt", models.DateField(primary_key=True, serialize=False, verbose_name="day")),
                ("nm", models.CharField(max_length=40, verbose_name="name")),
            ],
            options={
                "verbose_name": "holiday",
                "db_table": "cal_hol",
            },
        ),
        migrations.CreateModel(
            name="RptSales",
            fields=[
                ("rpt_id", models.AutoField(primary_key=True, serialize=False)),
                ("month", models.DateField(db_column="Sales Month", verbose_name="month")),
                ("rep_cd", sales.fields.CharNField(db_column="Rep", max_length=4, verbose_name="sales rep")),
                ("inv_cnt", models.IntegerField(db_column="Invoices", verbose_name="invoices")),
                (
                    "net_amt",
                    models.DecimalField(
                        db_column="Net Amount", decimal_places=2, max_digits=14, verbose_name="net amount"
                    ),
                ),
            ],
            options={
                "verbose_name": "monthly sales",
                "verbose_name_plural": "monthly sales",
                "db_table": "rpt sales",
                "unique_together": {("month", "rep_cd")},
            },
        ),
    ]
