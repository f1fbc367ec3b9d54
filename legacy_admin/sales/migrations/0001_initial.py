"""The tables of the old order system, as taken over in June 2014. (RK)"""

import datetime
from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

import sales.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "cat_cd",
                    sales.fields.CharNField(max_length=4, primary_key=True, serialize=False, verbose_name="code"),
                ),
                ("nm", models.CharField(max_length=60, verbose_name="name")),
            ],
            options={
                "verbose_name_plural": "categories",
                "db_table": "category",
            },
        ),
        migrations.CreateModel(
            name="Ctr",
            fields=[
                (
                    "ctr_cd",
                    models.CharField(max_length=12, primary_key=True, serialize=False, verbose_name="range"),
                ),
                ("nxt", models.IntegerField(verbose_name="next number")),
            ],
            options={
                "verbose_name": "number range",
                "db_table": "ctr",
            },
        ),
        migrations.CreateModel(
            name="SalRep",
            fields=[
                (
                    "rep_cd",
                    sales.fields.CharNField(max_length=4, primary_key=True, serialize=False, verbose_name="code"),
                ),
                ("nm", models.CharField(max_length=60, verbose_name="name")),
                ("terr", models.CharField(blank=True, default="", max_length=30, verbose_name="territory")),
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
            ],
            options={
                "verbose_name": "sales rep",
                "db_table": "sal_rep",
            },
        ),
        migrations.CreateModel(
            name="Terms",
            fields=[
                (
                    "terms_cd",
                    sales.fields.CharNField(max_length=4, primary_key=True, serialize=False, verbose_name="code"),
                ),
                ("descr", models.CharField(max_length=40, verbose_name="description")),
                ("days", models.SmallIntegerField(verbose_name="days net")),
            ],
            options={
                "verbose_name": "payment terms",
                "verbose_name_plural": "payment terms",
                "db_table": "terms",
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("cust_no", models.AutoField(primary_key=True, serialize=False, verbose_name="number")),
                ("cust_cd", sales.fields.CharNField(max_length=8, unique=True, verbose_name="code")),
                ("nm", models.CharField(max_length=80, verbose_name="name")),
                ("addr1", models.CharField(blank=True, default="", max_length=80, verbose_name="address")),
                ("addr2", models.CharField(blank=True, max_length=80, null=True, verbose_name="address 2")),
                ("city", models.CharField(blank=True, default="", max_length=60)),
                ("zip", models.CharField(blank=True, default="", max_length=12)),
                ("ctry", sales.fields.CharNField(default="US", max_length=2, verbose_name="country")),
                ("email", models.CharField(blank=True, max_length=120, null=True, verbose_name="e-mail")),
                ("tel", models.CharField(blank=True, default="", max_length=30, verbose_name="phone")),
                ("terms_cd", sales.fields.CharNField(default="N30", max_length=4, verbose_name="terms")),
                (
                    "cr_lim",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("0"),
                        help_text="0 = none",
                        max_digits=12,
                        verbose_name="credit limit",
                    ),
                ),
                (
                    "bal",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=12,
                        verbose_name="balance",
                    ),
                ),
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
                    "del_fl",
                    sales.fields.CharNField(
                        choices=[("Y", "Yes"), ("N", "No")],
                        db_default="N",
                        default="N",
                        max_length=1,
                        verbose_name="deleted",
                    ),
                ),
                (
                    "crt_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="created"),
                ),
                (
                    "lst_ord_dt",
                    models.DateField(
                        db_default=datetime.date(1900, 1, 1),
                        default=datetime.date(1900, 1, 1),
                        verbose_name="last order",
                    ),
                ),
                (
                    "rep",
                    models.ForeignKey(
                        blank=True,
                        db_column="rep_cd",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sales.salrep",
                        verbose_name="sales rep",
                    ),
                ),
            ],
            options={
                "db_table": "customer",
            },
        ),
        migrations.CreateModel(
            name="CustNote",
            fields=[
                ("note_no", models.AutoField(primary_key=True, serialize=False)),
                (
                    "cust",
                    models.ForeignKey(
                        db_column="cust_no",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="sales.customer",
                    ),
                ),
                (
                    "crt_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="written"),
                ),
                ("crt_by", models.CharField(blank=True, default="", max_length=30, verbose_name="by")),
                ("txt", models.TextField(verbose_name="note")),
            ],
            options={
                "verbose_name": "note",
                "db_table": "cust_note",
            },
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                (
                    "item_no",
                    models.CharField(max_length=20, primary_key=True, serialize=False, verbose_name="item no."),
                ),
                ("descr", models.CharField(max_length=120, verbose_name="description")),
                ("cat_cd", sales.fields.CharNField(max_length=4, verbose_name="category")),
                ("uom", sales.fields.CharNField(default="EA", max_length=3, verbose_name="unit")),
                ("prc", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="price")),
                (
                    "qty_oh",
                    models.IntegerField(db_default=0, default=0, editable=False, verbose_name="available"),
                ),
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
                    "dscnt_dt",
                    models.DateField(
                        db_default=datetime.date(9999, 12, 31),
                        default=datetime.date(9999, 12, 31),
                        verbose_name="discontinued",
                    ),
                ),
            ],
            options={
                "db_table": "item",
            },
        ),
        migrations.CreateModel(
            name="PriceLst",
            fields=[
                (
                    "id",
                    models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("item_no", models.CharField(max_length=20, verbose_name="item no.")),
                ("lst_cd", sales.fields.CharNField(max_length=4, verbose_name="list")),
                ("min_qty", models.IntegerField(default=1, verbose_name="from quantity")),
                ("prc", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="price")),
                ("vld_from", models.DateField(verbose_name="valid from")),
                (
                    "vld_to",
                    models.DateField(
                        db_default=datetime.date(9999, 12, 31),
                        default=datetime.date(9999, 12, 31),
                        verbose_name="valid to",
                    ),
                ),
            ],
            options={
                "verbose_name": "list price",
                "db_table": "price_lst",
                "unique_together": {("item_no", "lst_cd", "min_qty", "vld_from")},
            },
        ),
        migrations.CreateModel(
            name="OrdHdr",
            fields=[
                ("ord_no", models.AutoField(primary_key=True, serialize=False, verbose_name="number")),
                (
                    "cust",
                    models.ForeignKey(
                        db_column="cust_no",
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="orders",
                        to="sales.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "stat",
                    models.SmallIntegerField(
                        choices=[
                            (10, "open"),
                            (20, "allocated"),
                            (30, "shipped"),
                            (40, "invoiced"),
                            (90, "cancelled"),
                        ],
                        db_index=True,
                        default=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "ord_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="ordered"),
                ),
                ("req_dt", models.DateField(blank=True, null=True, verbose_name="required")),
                (
                    "tot_amt",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("0"),
                        editable=False,
                        max_digits=12,
                        verbose_name="total",
                    ),
                ),
                (
                    "curr",
                    sales.fields.CharNField(db_default="USD", default="USD", max_length=3, verbose_name="currency"),
                ),
                ("ship_via", models.CharField(blank=True, max_length=20, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                ("upd_dt", sales.fields.LocalDateTimeField(editable=False, verbose_name="changed")),
                (
                    "upd_by",
                    models.CharField(blank=True, default="", editable=False, max_length=30, verbose_name="changed by"),
                ),
            ],
            options={
                "verbose_name": "order",
                "db_table": "ord_hdr",
            },
        ),
        migrations.CreateModel(
            name="OrdDtl",
            fields=[
                ("dtl_id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "ord",
                    models.ForeignKey(
                        db_column="ord_no",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="sales.ordhdr",
                    ),
                ),
                ("ln_no", models.SmallIntegerField(editable=False, verbose_name="line")),
                ("item_no", models.CharField(db_index=True, max_length=20, verbose_name="item no.")),
                ("qty", models.IntegerField(default=1, verbose_name="quantity")),
                ("prc", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="price")),
                (
                    "disc_pct",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=5,
                        verbose_name="discount %",
                    ),
                ),
                (
                    "ln_amt",
                    models.DecimalField(decimal_places=2, editable=False, max_digits=12, verbose_name="amount"),
                ),
            ],
            options={
                "verbose_name": "line",
                "db_table": "ord_dtl",
                "ordering": ["ord_id", "ln_no"],
            },
        ),
        migrations.CreateModel(
            name="InvHdr",
            fields=[
                ("inv_no", models.IntegerField(primary_key=True, serialize=False, verbose_name="number")),
                (
                    "ord",
                    models.ForeignKey(
                        db_column="ord_no",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="sales.ordhdr",
                    ),
                ),
                (
                    "cust",
                    models.ForeignKey(
                        db_column="cust_no",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="sales.customer",
                    ),
                ),
                ("inv_dt", models.DateField(db_index=True, verbose_name="date")),
                ("due_dt", models.DateField(verbose_name="due")),
                (
                    "stat",
                    sales.fields.CharNField(
                        choices=[("O", "open"), ("P", "paid"), ("C", "credited")],
                        default="O",
                        max_length=1,
                        verbose_name="status",
                    ),
                ),
                ("net_amt", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="net")),
                (
                    "tax_amt",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="tax"),
                ),
                ("gross_amt", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="gross")),
                (
                    "pd_dt",
                    models.DateField(
                        db_default=datetime.date(1900, 1, 1),
                        default=datetime.date(1900, 1, 1),
                        verbose_name="paid on",
                    ),
                ),
            ],
            options={
                "verbose_name": "invoice",
                "db_table": "inv_hdr",
            },
        ),
        migrations.CreateModel(
            name="InvDtl",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "inv_id", "ln_no", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "inv",
                    models.ForeignKey(
                        db_column="inv_no",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="sales.invhdr",
                    ),
                ),
                ("ln_no", models.SmallIntegerField(verbose_name="line")),
                ("item_no", models.CharField(max_length=20, verbose_name="item no.")),
                ("descr", models.CharField(max_length=120, verbose_name="description")),
                ("qty", models.IntegerField(verbose_name="quantity")),
                ("prc", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="price")),
                ("ln_amt", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="amount")),
            ],
            options={
                "db_table": "inv_dtl",
                "ordering": ["inv_id", "ln_no"],
            },
        ),
    ]
