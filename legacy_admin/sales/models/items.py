from decimal import Decimal

from django.db import models

from sales.fields import OPEN_END, YES_NO, CharNField, LocalDateTimeField, local_now


class Category(models.Model):
    cat_cd = CharNField("code", max_length=4, primary_key=True)
    nm = models.CharField("name", max_length=60)

    class Meta:
        db_table = "category"
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.nm


class Item(models.Model):
    item_no = models.CharField("item no.", max_length=20, primary_key=True)
    descr = models.CharField("description", max_length=120)
    cat_cd = CharNField("category", max_length=4)  # no foreign key: 'MISC' was deleted in 2012
    uom = CharNField("unit", max_length=3, default="EA")
    prc = models.DecimalField("price", max_digits=10, decimal_places=2)
    qty_oh = models.IntegerField("available", default=0, db_default=0, editable=False)  # trigger trg_stock_bal
    act_fl = CharNField("active", max_length=1, choices=YES_NO, default="Y", db_default="Y")
    dscnt_dt = models.DateField("discontinued", default=OPEN_END, db_default=OPEN_END)

    class Meta:
        db_table = "item"

    def __str__(self) -> str:
        return f"{self.item_no} {self.descr}"


class Whse(models.Model):
    whse_cd = CharNField("code", max_length=3, primary_key=True)
    nm = models.CharField("name", max_length=40)
    city = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        db_table = "whse"
        verbose_name = "warehouse"

    def __str__(self) -> str:
        return self.nm


class PriceLst(models.Model):
    item_no = models.CharField("item no.", max_length=20)  # no foreign key: lists arrive before the items
    lst_cd = CharNField("list", max_length=4)
    min_qty = models.IntegerField("from quantity", default=1)
    prc = models.DecimalField("price", max_digits=10, decimal_places=2)
    vld_from = models.DateField("valid from")
    vld_to = models.DateField("valid to", default=OPEN_END, db_default=OPEN_END)

    class Meta:
        db_table = "price_lst"
        unique_together = [("item_no", "lst_cd", "min_qty", "vld_from")]
        verbose_name = "list price"

    def __str__(self) -> str:
        return f"{self.lst_cd} {self.item_no} from {self.min_qty}: {self.prc}"


class StockMv(models.Model):
    """Never correct a movement: book another one. The trigger on this table is the only writer of item.qty_oh."""

    KINDS = [("RC", "receipt"), ("IS", "issue"), ("RS", "reserve"), ("RL", "release"), ("AD", "adjust")]

    mv_no = models.BigAutoField("number", primary_key=True)
    item_no = models.CharField("item no.", max_length=20, db_index=True)
    mv_cd = CharNField("kind", max_length=2, choices=KINDS)
    qty = models.IntegerField("quantity", help_text="negative takes out")
    ref = models.CharField("reference", max_length=30, blank=True, default="")
    mv_dt = LocalDateTimeField("booked", default=local_now)
    whse = models.ForeignKey(Whse, models.PROTECT, db_column="whse_cd", blank=True, null=True, verbose_name="warehouse")

    class Meta:
        db_table = "stock_mv"
        verbose_name = "stock movement"

    def __str__(self) -> str:
        return f"{self.mv_cd} {self.item_no} {self.qty:+d}"


def price_of(item: Item, lst_cd: str, qty: int, on: object) -> Decimal:
    """The price of one unit: the list's best quantity break valid on that day, else the item's own price."""
    broken = (
        PriceLst.objects.filter(item_no=item.item_no, lst_cd=lst_cd, min_qty__lte=qty)
        .filter(vld_from__lte=on, vld_to__gte=on)
        .order_by("-min_qty", "-vld_from")
        .first()
    )
    return broken.prc if broken else item.prc
