from decimal import Decimal

from django.db import models

from sales.fields import NEVER, CharNField
from sales.models.customers import Customer
from sales.models.items import Item
from sales.models.orders import OrdHdr


class Ctr(models.Model):
    """Number ranges without gaps; the auditors want it so for invoices."""

    ctr_cd = models.CharField("range", max_length=12, primary_key=True)
    nxt = models.IntegerField("next number")

    class Meta:
        db_table = "ctr"
        verbose_name = "number range"

    def __str__(self) -> str:
        return self.ctr_cd

    @classmethod
    def draw(cls, ctr_cd: str) -> int:
        """The next number. Call inside a transaction: the row stays locked until its end, a rollback gives it back."""
        row = cls.objects.select_for_update().get(ctr_cd=ctr_cd)
        number = row.nxt
        row.nxt = number + 1
        row.save()
        return number


class InvHdr(models.Model):
    STATES = [("O", "open"), ("P", "paid"), ("C", "credited")]

    inv_no = models.IntegerField("number", primary_key=True)  # Ctr.draw("INV")
    ord = models.ForeignKey(OrdHdr, models.PROTECT, db_column="ord_no", related_name="invoices")
    cust = models.ForeignKey(Customer, models.PROTECT, db_column="cust_no", related_name="invoices")
    inv_dt = models.DateField("date", db_index=True)
    due_dt = models.DateField("due")
    stat = CharNField("status", max_length=1, choices=STATES, default="O")
    net_amt = models.DecimalField("net", max_digits=12, decimal_places=2)
    tax_amt = models.DecimalField("tax", max_digits=12, decimal_places=2, default=Decimal(0))
    gross_amt = models.DecimalField("gross", max_digits=12, decimal_places=2)
    pd_dt = models.DateField("paid on", default=NEVER, db_default=NEVER)

    class Meta:
        db_table = "inv_hdr"
        verbose_name = "invoice"

    def __str__(self) -> str:
        return f"Invoice {self.inv_no}"

    def paid(self) -> bool:
        return self.pd_dt > NEVER


class InvDtl(models.Model):
    pk = models.CompositePrimaryKey("inv_id", "ln_no")
    inv = models.ForeignKey(InvHdr, models.CASCADE, db_column="inv_no", related_name="lines", db_index=False)
    ln_no = models.SmallIntegerField("line")
    item_no = models.CharField("item no.", max_length=20)
    descr = models.CharField("description", max_length=120)
    qty = models.IntegerField("quantity")
    prc = models.DecimalField("price", max_digits=10, decimal_places=2)
    ln_amt = models.DecimalField("amount", max_digits=12, decimal_places=2)

    class Meta:
        db_table = "inv_dtl"
        ordering = ["inv_id", "ln_no"]

    @classmethod
    def described(cls, item_no: str) -> str:
        item = Item.objects.filter(item_no=item_no).first()
        return item.descr if item else "(item no longer carried)"


class CalHol(models.Model):
    hol_dt = models.DateField("day", primary_key=True)
    nm = models.CharField("name", max_length=40)

    class Meta:
        db_table = "cal_hol"
        verbose_name = "holiday"

    def __str__(self) -> str:
        return f"{self.hol_dt:%m/%d/%Y} {self.nm}"


class RptSales(models.Model):
    """Filled at night by `manage.py monthly_report`, for a spreadsheet that wants these names."""

    rpt_id = models.AutoField(primary_key=True)
    month = models.DateField("month", db_column="Sales Month")
    rep_cd = CharNField("sales rep", max_length=4, db_column="Rep")
    inv_cnt = models.IntegerField("invoices", db_column="Invoices")
    net_amt = models.DecimalField("net amount", max_digits=14, decimal_places=2, db_column="Net Amount")

    class Meta:
        db_table = "rpt sales"
        unique_together = [("month", "rep_cd")]
        verbose_name = "monthly sales"
        verbose_name_plural = "monthly sales"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.rep_cd}"
