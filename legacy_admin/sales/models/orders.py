from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db import models, transaction

from sales.fields import YES_NO, CharNField, LocalDateTimeField, local_now
from sales.models.customers import Customer
from sales.models.items import Item, StockMv

OPEN, ALLOCATED, SHIPPED, INVOICED, CANCELLED = 10, 20, 30, 40, 90
STATES = [
    (OPEN, "open"),
    (ALLOCATED, "allocated"),
    (SHIPPED, "shipped"),
    (INVOICED, "invoiced"),
    (CANCELLED, "cancelled"),
]
CENT = Decimal("0.01")


class WrongState(Exception):
    """The order is in a state from which this step does not exist."""


class OrdHdr(models.Model):
    ord_no = models.AutoField("number", primary_key=True)
    # No foreign key in the database: customers merged away in 2013 left their orders behind.
    cust = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        verbose_name="customer",
        db_column="cust_no",
        db_constraint=False,
        null=True,
        related_name="orders",
    )
    stat = models.SmallIntegerField("status", choices=STATES, default=OPEN, db_index=True)
    ord_dt = LocalDateTimeField("ordered", default=local_now)
    req_dt = models.DateField("required", blank=True, null=True)
    tot_amt = models.DecimalField("total", max_digits=12, decimal_places=2, default=Decimal(0), editable=False)
    curr = CharNField("currency", max_length=3, default="USD", db_default="USD")
    ship_via = models.CharField(max_length=20, blank=True, null=True)
    notes = models.TextField(blank=True, null=True)
    upd_dt = LocalDateTimeField("changed", editable=False)
    upd_by = models.CharField("changed by", max_length=30, blank=True, default="", editable=False)
    rush_fl = CharNField("rush", max_length=1, choices=YES_NO, default="N", db_default="N")
    prt_cd = CharNField("partner", max_length=8, blank=True, null=True)
    ext_ref = models.CharField("partner's reference", max_length=40, blank=True, null=True)

    new_lines: Sequence["OrdDtl"] | None = None  # of an order that is about to be saved for the first time

    class Meta:
        db_table = "ord_hdr"
        verbose_name = "order"
        indexes = [models.Index(fields=["prt_cd", "-ord_dt"], name="ord_hdr_prt_ix")]

    def __str__(self) -> str:
        return f"Order {self.ord_no}"

    def save(self, *args: object, **kwargs: object) -> None:
        if self.new_lines is not None:
            lines = self.new_lines
        else:
            lines = list(self.lines.all()) if self.pk else []
        self.tot_amt = sum((line.ln_amt for line in lines), Decimal("0.00"))
        self.upd_dt = local_now()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "tot_amt", "upd_dt"}  # type: ignore[misc]
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @transaction.atomic
    def place(self, lines: Sequence["OrdDtl"]) -> None:
        """Stores a new order with its lines, numbered from 1, and reserves the stock."""
        for number, line in enumerate(lines, 1):
            line.ln_no = number
            line.ln_amt = line.amount()
        self.new_lines = lines
        self.save()
        self.new_lines = None
        for line in lines:
            line.ord = self
            line.save()
            self.book("RS", line.item_no, -line.qty)

    @transaction.atomic
    def cancel(self, who: str) -> None:
        """Gives the reserved stock back. Raises WrongState for what is shipped, invoiced or in an unknown state."""
        self.step(CANCELLED, (OPEN, ALLOCATED), who)
        for line in self.lines.all():
            self.book("RL", line.item_no, line.qty)

    @transaction.atomic
    def ship(self, who: str) -> None:
        """The reservation becomes an issue. Raises WrongState unless open or allocated."""
        self.step(SHIPPED, (OPEN, ALLOCATED), who)
        for line in self.lines.all():
            self.book("RL", line.item_no, line.qty)
            self.book("IS", line.item_no, -line.qty)

    def allocate(self, who: str) -> None:
        """Raises WrongState unless open."""
        self.step(ALLOCATED, (OPEN,), who)

    def step(self, to: int, allowed: tuple[int, ...], who: str) -> None:
        if self.stat not in allowed:
            raise WrongState(f"order {self.ord_no} is {self.get_stat_display()}")
        self.stat = to
        self.upd_by = who[:30]
        self.save()

    def book(self, kind: str, item_no: str, qty: int) -> None:
        StockMv.objects.create(item_no=item_no, mv_cd=kind, qty=qty, ref=f"ORD {self.ord_no}")

    def customer(self) -> Customer | None:
        """None where the customer is gone."""
        try:
            return self.cust
        except Customer.DoesNotExist:
            return None


class OrdDtl(models.Model):
    """The key in the database is (ord_no, ln_no). The admin cannot edit such lines, so since 2016 dtl_id is ours."""

    dtl_id = models.AutoField(primary_key=True)
    ord = models.ForeignKey(
        OrdHdr, models.CASCADE, db_column="ord_no", db_constraint=False, related_name="lines", db_index=False
    )
    ln_no = models.SmallIntegerField("line", editable=False)
    item_no = models.CharField("item no.", max_length=20, db_index=True)  # no foreign key, some items are gone
    qty = models.IntegerField("quantity", default=1)
    prc = models.DecimalField("price", max_digits=10, decimal_places=2)
    disc_pct = models.DecimalField(
        "discount %", max_digits=5, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    ln_amt = models.DecimalField("amount", max_digits=12, decimal_places=2, editable=False)

    class Meta:
        db_table = "ord_dtl"
        verbose_name = "line"
        ordering = ["ord_id", "ln_no"]

    def __str__(self) -> str:
        return f"{self.ord_id}/{self.ln_no}"

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.ln_no:
            last = OrdDtl.objects.filter(ord_id=self.ord_id).aggregate(models.Max("ln_no"))["ln_no__max"]
            self.ln_no = (last or 0) + 1
        self.ln_amt = self.amount()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def amount(self) -> Decimal:
        full = self.qty * Decimal(self.prc)
        return (full * (100 - Decimal(self.disc_pct)) / 100).quantize(CENT, ROUND_HALF_UP)

    def item(self) -> Item | None:
        return Item.objects.filter(item_no=self.item_no).first()


class OpenOrder(models.Model):
    """The view v_open_ord, which the order board shows. Status 55 of the 2011 import is not in it."""

    ord_no = models.IntegerField(primary_key=True)
    ord_dt = LocalDateTimeField()
    req_dt = models.DateField(null=True)
    stat = models.SmallIntegerField(choices=STATES)
    rush_fl = CharNField(max_length=1)
    tot_amt = models.DecimalField(max_digits=12, decimal_places=2)
    curr = CharNField(max_length=3)
    prt_cd = CharNField(max_length=8, null=True)
    ext_ref = models.CharField(max_length=40, null=True)
    cust_no = models.IntegerField(null=True)
    cust_cd = CharNField(max_length=8, null=True)
    cust_nm = models.CharField(max_length=80, null=True)
    ln_cnt = models.BigIntegerField()

    class Meta:
        db_table = "v_open_ord"
        managed = False

    def late(self) -> bool:
        return self.req_dt is not None and self.req_dt < date.today()
