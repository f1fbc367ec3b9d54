"""Stock as a ledger: item.qty_oh is the sum of its movements, kept by the database. 2015-02 (RK)"""

import django.db.models.deletion
from django.db import migrations, models

import sales.fields

STOCK_BAL = """
CREATE FUNCTION stock_bal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE item SET qty_oh = qty_oh - OLD.qty WHERE item_no = OLD.item_no;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        UPDATE item SET qty_oh = qty_oh + NEW.qty WHERE item_no = NEW.item_no;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trg_stock_bal AFTER INSERT OR UPDATE OR DELETE ON stock_mv
    FOR EACH ROW EXECUTE FUNCTION stock_bal();
"""

STOCK_BAL_BACK = """
DROP TRIGGER trg_stock_bal ON stock_mv;
DROP FUNCTION stock_bal();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0002_old_objects"),
    ]

    operations = [
        migrations.CreateModel(
            name="Whse",
            fields=[
                (
                    "whse_cd",
                    sales.fields.CharNField(max_length=3, primary_key=True, serialize=False, verbose_name="code"),
                ),
                ("nm", models.CharField(max_length=40, verbose_name="name")),
                ("city", models.CharField(blank=True, default="", max_length=60)),
            ],
            options={
                "verbose_name": "warehouse",
                "db_table": "whse",
            },
        ),
        migrations.CreateModel(
            name="StockMv",
            fields=[
                ("mv_no", models.BigAutoField(primary_key=True, serialize=False, verbose_name="number")),
                ("item_no", models.CharField(db_index=True, max_length=20, verbose_name="item no.")),
                (
                    "mv_cd",
                    sales.fields.CharNField(
                        choices=[
                            ("RC", "receipt"),
                            ("IS", "issue"),
                            ("RS", "reserve"),
                            ("RL", "release"),
                            ("AD", "adjust"),
                        ],
                        max_length=2,
                        verbose_name="kind",
                    ),
                ),
                ("qty", models.IntegerField(help_text="negative takes out", verbose_name="quantity")),
                ("ref", models.CharField(blank=True, default="", max_length=30, verbose_name="reference")),
                (
                    "mv_dt",
                    sales.fields.LocalDateTimeField(default=sales.fields.local_now, verbose_name="booked"),
                ),
                (
                    "whse",
                    models.ForeignKey(
                        blank=True,
                        db_column="whse_cd",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="sales.whse",
                        verbose_name="warehouse",
                    ),
                ),
            ],
            options={
                "verbose_name": "stock movement",
                "db_table": "stock_mv",
            },
        ),
        migrations.RunSQL(STOCK_BAL, STOCK_BAL_BACK),
    ]
