"""The invoice run: shipped orders become invoices."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import F

from sales import audit
from sales.models import CalHol, Ctr, Customer, InvDtl, InvHdr, OrdHdr
from sales.models.orders import CENT, INVOICED, SHIPPED, WrongState

SALES_TAX = Decimal("0.06")  # Pennsylvania, since 1968


class NotBillable(Exception):
    """Why an order cannot be invoiced."""


@transaction.atomic
def issue(ord_no: int, on: date, who: str) -> InvHdr:
    """Invoices one shipped order. Raises NotBillable, and WrongState if somebody was faster."""
    order = OrdHdr.objects.select_for_update().get(ord_no=ord_no)
    if order.stat != SHIPPED:
        raise WrongState(f"order {ord_no} is {order.get_stat_display()}")
    cust = order.customer()
    if cust is None:
        raise NotBillable(f"order {ord_no}: the customer is gone")
    lines = list(order.lines.all())
    if not lines:
        raise NotBillable(f"order {ord_no} has no lines")
    net = order.tot_amt
    tax = sales_tax(order, cust)
    inv = InvHdr.objects.create(
        inv_no=Ctr.draw("INV"),
        ord=order,
        cust=cust,
        inv_dt=on,
        due_dt=working_day(on + timedelta(days=cust.terms_days())),
        net_amt=net,
        tax_amt=tax,
        gross_amt=net + tax,
    )
    InvDtl.objects.bulk_create(
        InvDtl(
            inv=inv,
            ln_no=line.ln_no,
            item_no=line.item_no,
            descr=InvDtl.described(line.item_no),
            qty=line.qty,
            prc=line.prc,
            ln_amt=line.ln_amt,
        )
        for line in lines
    )
    Customer.objects.filter(cust_no=cust.cust_no).update(bal=F("bal") + inv.gross_amt)
    order.step(INVOICED, (SHIPPED,), who)
    audit.write(who, "NEW", "inv_hdr", inv.inv_no, f"ord={ord_no} gross={inv.gross_amt:.2f}")
    return inv


def sales_tax(order: OrdHdr, cust: Customer) -> Decimal:
    """Partners resell and are exempt; so is everybody abroad."""
    if cust.ctry != "US" or order.prt_cd:
        return Decimal("0.00")
    return (order.tot_amt * SALES_TAX).quantize(CENT, ROUND_HALF_UP)


def working_day(day: date) -> date:
    """That day, or the next one that is neither weekend nor holiday."""
    while day.weekday() >= 5 or CalHol.objects.filter(hol_dt=day).exists():
        day += timedelta(days=1)
    return day
