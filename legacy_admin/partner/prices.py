"""price_upload: agreed prices for the partner's own list, as a file or as the body. Token in the query."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from partner.wire import by_token, day, intval, plain, text
from sales import audit
from sales.fields import OPEN_END, local_now
from sales.models import ImpErr, Item, Partner, PriceLst


class BadRow(Exception):
    """One row that cannot be loaded; the others can."""


@csrf_exempt
def price_upload(request: HttpRequest) -> HttpResponse:
    partner = by_token(request.GET.get("token"))
    if partner is None:
        return HttpResponse("access denied\n", status=403, content_type="text/plain")
    if request.method != "POST":
        return plain("ERR|METHOD|use POST\n")
    multipart = (request.content_type or "").startswith("multipart/")
    upload = request.FILES.get("file") if multipart else None
    if multipart and upload is None:
        return plain("ERR|FILE|no file\n")
    return plain(load(partner, text(upload.read() if upload else request.body)))


@transaction.atomic
def load(partner: Partner, csv: str) -> str:
    """item_no;min_qty;price[;valid from[;valid to]] per row, decimal comma or point. Returns the report."""
    loaded = 0
    rejected = []
    known = set(Item.objects.values_list("item_no", flat=True))
    for row_no, row in enumerate(csv.splitlines(), 1):
        if not row.strip() or row.lower().startswith("item_no"):
            continue
        try:
            load_row(partner, row, known)
            loaded += 1
        except BadRow as e:
            rejected.append(ImpErr(prt_cd=partner.prt_cd, row_no=row_no, msg=str(e), raw=row[:200]))
    ImpErr.objects.bulk_create(rejected)
    audit.write(partner.prt_cd, "UPLOAD", "price_lst", partner.prc_lst, f"loaded={loaded} rejected={len(rejected)}")
    report = [f"LOADED {loaded} / REJECTED {len(rejected)}", *(f"{e.row_no}: {e.msg}" for e in rejected)]
    return "\n".join(report) + "\n"


def load_row(partner: Partner, row: str, known: set[str]) -> None:
    cells = [cell.strip() for cell in row.split(";")] + [""] * 5
    item_no = cells[0].upper()
    if item_no not in known:
        raise BadRow(f"unknown item {item_no[:20]}")
    if (min_qty := intval(cells[1] or "1")) < 1:
        raise BadRow("bad quantity")
    PriceLst.objects.update_or_create(
        item_no=item_no,
        lst_cd=partner.prc_lst,
        min_qty=min_qty,
        vld_from=valid(cells[3], local_now().date()),
        defaults={"prc": price(cells[2]), "vld_to": valid(cells[4], OPEN_END)},
    )


def price(written: str) -> Decimal:
    try:
        amount = Decimal(written.replace(",", "."))
        if not 0 < amount < 10**8:
            raise BadRow("bad price")
    except InvalidOperation:
        raise BadRow("bad price") from None
    return amount.quantize(Decimal("0.01"))


def valid(written: str, otherwise: date) -> date:
    if not written:
        return otherwise
    found = day(written)
    if found is None:
        raise BadRow("bad date")
    return found
