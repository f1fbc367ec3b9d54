"""orders.xml (token in the query) and order_status (X-Partner-Token)."""

import json
from datetime import datetime, time
from decimal import Decimal

from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from partner.wire import by_token, day, intval, query
from sales.models import OrdDtl, OrdHdr

PAGE = 50
WORDS = {10: "OPEN", 20: "ALLOCATED", 30: "SHIPPED", 40: "INVOICED", 90: "CANCELLED"}


def xml(body: str) -> HttpResponse:
    whole = '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + body
    return HttpResponse(whole.encode("latin-1", "xmlcharrefreplace"), content_type="text/xml; charset=ISO-8859-1")


def esc(value: str | None) -> str:
    return (value or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def error(code: int, message: str) -> HttpResponse:
    return xml(f'<error code="{code}">{message}</error>\n')  # always 200, CRANE's library throws on anything else


def orders_xml(request: HttpRequest) -> HttpResponse:
    partner = by_token(request.GET.get("token"))
    if partner is None:
        return error(1, "Invalid token")
    orders = OrdHdr.objects.filter(prt_cd=partner.prt_cd)
    if query(request, "since"):
        since = day(query(request, "since"))
        if since is None:
            return error(2, "Bad date in since")
        orders = orders.filter(ord_dt__gte=datetime.combine(since, time()))
    if query(request, "status"):
        orders = orders.filter(stat=intval(query(request, "status")))
    count = orders.count()
    page = max(1, intval(query(request, "page")))
    shown = orders.select_related("cust").order_by("-ord_dt", "-ord_no")[(page - 1) * PAGE : page * PAGE]
    lines = line_counts([o.ord_no for o in shown])
    out = [f'<orders partner="{esc(partner.prt_cd)}" page="{page}" pages="{-(-count // PAGE)}" count="{count}">\n']
    out += [order_xml(o, lines.get(o.ord_no, 0)) for o in shown]
    return xml("".join(out) + "</orders>\n")


def line_counts(numbers: list[int]) -> dict[int, int]:
    counted = OrdDtl.objects.filter(ord_id__in=numbers).order_by().values("ord_id").annotate(n=Count("*"))
    return {row["ord_id"]: row["n"] for row in counted}


def order_xml(o: OrdHdr, ln_cnt: int) -> str:
    cust = o.cust  # joined, so None and no error where the customer is gone
    out = f'<order no="{o.ord_no}" ref="{esc(o.ext_ref)}">'
    if cust:
        out += f'<customer code="{esc(cust.cust_cd)}">{esc(cust.nm)}</customer>'
    else:
        out += "<customer/>"
    out += f"<date>{o.ord_dt:%m/%d/%Y %H:%M}</date>"
    if o.req_dt:
        out += f"<required>{o.req_dt:%Y-%m-%d}</required>"
    out += f"<status>{WORDS.get(o.stat, o.stat)}</status>"
    out += f"<lines>{ln_cnt}</lines><total>{o.tot_amt:.2f}</total><currency>{esc(o.curr)}</currency>"
    if o.rush_fl == "Y":
        out += "<rush/>"
    return out + "</order>\n"


def order_status(request: HttpRequest) -> HttpResponse:
    partner = by_token(request.headers.get("X-Partner-Token"))
    if partner is None:
        return answer({"status": "ERROR", "msg": "access denied"})
    no, ref = query(request, "no"), query(request, "ref")
    if not no and not ref:
        return answer({"status": "ERROR", "msg": "no or ref required"})
    orders = OrdHdr.objects.filter(prt_cd=partner.prt_cd)
    if no:
        orders = orders.filter(ord_no=intval(no))
    if ref:
        orders = orders.filter(ext_ref=ref)
    o = orders.select_related("cust").order_by("-ord_no").first()  # a reference can be there twice
    return answer(status_of(o) if o else {"status": "ERROR", "msg": "not found"})


def answer(data: dict[str, object]) -> HttpResponse:
    return HttpResponse(json.dumps(data), content_type="application/json")


def status_of(o: OrdHdr) -> dict[str, object]:
    """Keys and types as the PHP site had them: partners' parsers depend on every one, the odd ones most of all."""
    data: dict[str, object] = {
        "status": "OK",
        "order_no": str(o.ord_no),
        "ref": o.ext_ref or "",
        "cust": o.cust.cust_cd if o.cust else None,
        "state": WORDS.get(o.stat, o.stat),
        "date": f"{o.ord_dt:%Y-%m-%d %H:%M:%S}",
        "required": f"{o.req_dt:%m/%d/%Y}" if o.req_dt else None,
        "total": number(o.tot_amt),
        "currency": o.curr,
        "rush": "Y" if o.rush_fl == "Y" else False,
    }
    if o.ship_via:
        data["ship_via"] = o.ship_via
    lines = [line_of(line) for line in o.lines.all()]
    data["lines"] = lines[0] if len(lines) == 1 else lines or ""
    return data


def line_of(line: OrdDtl) -> dict[str, object]:
    return {"no": line.ln_no, "item": line.item_no, "qty": str(line.qty), "price": number(line.prc)}


def number(amount: Decimal) -> int | str:
    """12 for 12.00, "12.50" for 12.50."""
    return int(amount) if amount == int(amount) else f"{amount:.2f}"
