"""invoice/4711.txt: the page the line printer got. 72 columns, CRLF, Latin-1, basic auth."""

from django.http import HttpRequest, HttpResponse

from partner.basic import by_password, refused
from partner.wire import latin1
from sales.models import InvHdr

WIDTH = 72


def invoice_txt(request: HttpRequest, no: int) -> HttpResponse:
    partner = by_password(request)
    if partner is None:
        return refused()
    invoices = InvHdr.objects.select_related("ord", "cust")
    inv = invoices.filter(inv_no=no, ord__prt_cd=partner.prt_cd).first()
    if inv is None:
        return HttpResponse("NO SUCH INVOICE\r\n", status=404, content_type="text/plain")
    return latin1("".join(line.rstrip() + "\r\n" for line in page(inv)), "text/plain")


def page(inv: InvHdr) -> list[str]:
    cust = inv.cust
    out = [
        f"{'NORTHGATE SUPPLY':<40}{'INVOICE':>14} {inv.inv_no:>17}",
        f"{'1800 Cameron Street':<40}{'DATE':>14} {inv.inv_dt:%m/%d/%Y}".ljust(WIDTH),
        f"{'Harrisburg PA 17103':<40}{'DUE':>14} {inv.due_dt:%m/%d/%Y}",
        f"{'':<40}{'ORDER':>14} {inv.ord_id:>17}",
        f"{'':<40}{'YOUR REF':>14} {(inv.ord.ext_ref or '')[:17]:>17}",
        "",
        f"{cust.cust_cd:<8}  {cust.nm}"[:WIDTH],
        f"{'':10}{cust.addr1}"[:WIDTH],
        f"{'':10}{cust.ctry} {cust.zip} {cust.city}"[:WIDTH],
        "-" * WIDTH,
        f"{'LN':>3} {'ITEM':<12} {'DESCRIPTION':<26} {'QTY':>6} {'PRICE':>9} {'AMOUNT':>10}",
        "-" * WIDTH,
    ]
    for line in inv.lines.all():
        what = f"{line.ln_no:>3} {line.item_no:<12.12} {line.descr:<26.26}"
        out.append(f"{what} {line.qty:>6} {line.prc:>9.2f} {line.ln_amt:>10.2f}")
    out += ["-" * WIDTH, *(f"{label:>58} {amount:>13.2f}" for label, amount in totals(inv))]
    if inv.stat != "O":
        out.append("*** PAID " + f"{inv.pd_dt:%m/%d/%Y}" if inv.stat == "P" else "*** CREDITED")
    return out


def totals(inv: InvHdr) -> list[tuple[str, object]]:
    return [("NET", inv.net_amt), ("TAX", inv.tax_amt), (f"TOTAL {inv.ord.curr}", inv.gross_amt)]
