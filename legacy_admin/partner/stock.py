"""stock.csv for spreadsheets: semicolons, decimal comma, Latin-1, CRLF. Token in the query."""

from django.http import HttpRequest, HttpResponse

from partner.wire import by_token, latin1, query
from sales.models import Item


def stock_csv(request: HttpRequest) -> HttpResponse:
    partner = by_token(request.GET.get("token"))
    if partner is None:
        return HttpResponse("access denied\r\n", status=403, content_type="text/plain")
    items = Item.objects.filter(act_fl="Y").order_by("item_no")
    if query(request, "cat"):
        items = items.filter(cat_cd=query(request, "cat").upper())
    rows = ["item_no;descr;cat;uom;qty;price\r\n"]
    for i in items:
        price = f"{i.prc:.2f}".replace(".", ",")
        rows.append(f"{i.item_no};{cell(i.descr)};{i.cat_cd};{i.uom};{max(i.qty_oh, 0)};{price}\r\n")
    answer = latin1("".join(rows), "text/csv")
    answer["Content-Disposition"] = "attachment; filename=stock.csv"
    return answer


def cell(value: str) -> str:
    """Quoted only where it must be."""
    return '"' + value.replace('"', '""') + '"' if ";" in value or '"' in value else value
