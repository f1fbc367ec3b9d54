"""All order lines as CSV, for the pivot tables. Streamed: the whole table is more than a worker should hold."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_date

from panel.access import staff
from sales.models import OrdDtl

COLUMNS = ["ord_id", "ln_no", "ord__ord_dt", "ord__cust_id", "ord__stat", "item_no", "qty", "prc", "disc_pct", "ln_amt"]


@staff
def order_lines(request: HttpRequest) -> HttpResponseBase:
    """?from=YYYY-MM-DD leaves out older orders."""
    try:
        since = parse_date(request.GET.get("from", ""))
    except ValueError:
        return HttpResponse("There is no such day.\n", status=400, content_type="text/plain")
    answer = StreamingHttpResponse(rows(since), content_type="text/csv")
    answer["Content-Disposition"] = "attachment; filename=order-lines.csv"
    return answer


def rows(since: object) -> Iterator[str]:
    lines = OrdDtl.objects.order_by("ord_id", "ln_no")
    if since:
        lines = lines.filter(ord__ord_dt__gte=since)
    yield "order,line,ordered,customer,status,item,qty,price,discount,amount\r\n"
    for values in lines.values_list(*COLUMNS).iterator(chunk_size=2000):
        yield ",".join("" if v is None else str(v) for v in values) + "\r\n"
