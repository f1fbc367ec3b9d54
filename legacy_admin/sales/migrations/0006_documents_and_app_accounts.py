"""Scanned papers; the mobile app's pilot. 2019-01 (DM)"""

import django.db.models.deletion
from django.db import migrations, models

import sales.fields


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0005_partners"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustDoc",
            fields=[
                ("doc_no", models.AutoField(primary_key=True, serialize=False)),
                (
                    "cust",
                    models.ForeignKey(
                        db_column="cust_no",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="docs",
                        to="sales.customer",
                    ),
                ),
                ("fname", models.CharField(max_length=120, verbose_name="file name")),
                (
                    "ctype",
                    models.CharField(default="application/octet-stream", max_length=80, verbose_name="type"),
                ),
                ("size", models.IntegerField()),
                ("data", models.BinaryField()),
                (
                    "crt_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="attached"),
                ),
                ("crt_by", models.CharField(blank=True, default="", max_length=30, verbose_name="by")),
            ],
            options={
                "verbose_name": "document",
                "db_table": "cust_doc",
            },
        ),
        migrations.CreateModel(
            name="UserAcct",
            fields=[
                ("acct_id", models.AutoField(primary_key=True, serialize=False)),
                ("login", models.CharField(max_length=60, unique=True)),
                ("pw_hash", models.CharField(max_length=128)),
                ("cust_no", models.IntegerField(blank=True, null=True, verbose_name="customer number")),
                (
                    "lst_login",
                    sales.fields.LocalDateTimeField(default="1900-01-01 00:00:00", verbose_name="last login"),
                ),
                (
                    "lock_fl",
                    sales.fields.CharNField(
                        choices=[("Y", "Yes"), ("N", "No")],
                        db_default="N",
                        default="N",
                        max_length=1,
                        verbose_name="locked",
                    ),
                ),
            ],
            options={
                "verbose_name": "app account",
                "db_table": "user_acct",
            },
        ),
    ]
