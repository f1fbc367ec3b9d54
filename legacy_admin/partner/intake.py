"""order_in and order_cancel: form posts with the token in a field, answered by one line of text, always 200."""

from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from partner.wire import by_token, day, form, intval, plain
from sales.fields import local_now
from sales.models import Customer, Item, OrdDtl, OrdHdr, Partner
from sales.models.items import price_of
from sales.models.orders import CANCELLED, WrongState

YES = ("Y", "YES", "1", "TRUE", "ON")


class Refused(Exception):
    """Becomes ERR|code|text."""


def err(code: str, message: object) -> HttpResponse:
    return plain(f"ERR|{code}|{message}")


@csrf_exempt
def order_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return err("METHOD", "use POST")
    fields = form(request)
    partner = by_token(fields.get("token"))
    if partner is None:
        return err("AUTH", "bad token")
    try:
        with transaction.atomic():
            return plain(f"OK|{place(partner, fields).ord_no}")
    except Refused as e:
        return err(*e.args)


def place(partner: Partner, fields: dict[str, str]) -> OrdHdr:
    ref = fields.get("ref", "")[:40].strip()
    if ref and (twin := OrdHdr.objects.filter(prt_cd=partner.prt_cd, ext_ref=ref).order_by("ord_no").first()):
        raise Refused("DUP", twin.ord_no)
    cust = customer_of(partner, fields.get("cust", ""))
    req_dt = None
    if fields.get("req_dt"):
        req_dt = day(fields["req_dt"])
        if req_dt is None:
            raise Refused("DATE", "bad req_dt")
    lines = lines_of(partner, fields)
    if cust.over_limit(sum((line.amount() for line in lines), Decimal(0))):
        raise Refused("CREDIT", "credit limit exceeded")
    order = OrdHdr(
        cust=cust,
        prt_cd=partner.prt_cd,
        ext_ref=ref or None,
        rush_fl="Y" if fields.get("rush", "").upper() in YES else "N",
        req_dt=req_dt,
        notes=fields.get("notes", "")[:2000] or None,
        upd_by=partner.prt_cd,
    )
    order.place(lines)
    return order


def customer_of(partner: Partner, code: str) -> Customer:
    """Their own customers and the house accounts."""
    cust = Customer.live.filter(cust_cd=code.upper(), src_cd__in=[partner.prt_cd, ""]).first() if code else None
    if cust is None:
        raise Refused("CUST", "unknown customer")
    if cust.act_fl != "Y":
        raise Refused("CUST", "customer on hold")
    return cust


def lines_of(partner: Partner, fields: dict[str, str]) -> list[OrdDtl]:
    """item1/qty1, item2/qty2 … up to the first number that is missing. An empty item is skipped."""
    lines = []
    today = local_now().date()
    n = 1
    while f"item{n}" in fields:
        item_no = fields[f"item{n}"].upper()
        qty = intval(fields.get(f"qty{n}", "1"))
        n += 1
        if not item_no:
            continue
        item = Item.objects.filter(item_no=item_no).first()
        if item is None:
            raise Refused("ITEM", f"unknown item {item_no[:20]}")
        if item.act_fl != "Y" or item.dscnt_dt <= today:
            raise Refused("ITEM", f"discontinued {item_no}")
        if not 0 < qty <= 99999:
            raise Refused("QTY", f"bad quantity for {item_no}")
        lines.append(OrdDtl(item_no=item_no, qty=qty, prc=price_of(item, partner.prc_lst, qty, today)))
    if not lines:
        raise Refused("EMPTY", "no items")
    if len(lines) > 99:
        raise Refused("LINES", "more than 99 lines")
    return lines


@csrf_exempt
def order_cancel(request: HttpRequest) -> HttpResponse:
    fields = form(request)
    partner = by_token(fields.get("token"))
    if partner is None:
        return err("AUTH", "bad token")
    no = intval(fields.get("no"))
    with transaction.atomic():
        order = OrdHdr.objects.select_for_update().filter(prt_cd=partner.prt_cd, ord_no=no).first()
        if order is None:
            return err("NOTFOUND", no)
        if order.stat == CANCELLED:
            return plain("OK")  # DELTA sends every cancellation three times
        try:
            order.cancel(partner.prt_cd)
        except WrongState:
            return err("STATE", order.stat)
    return plain("OK")
