"""The order board: what is open, and the three buttons."""

from datetime import date

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from panel.access import page_of, staff
from panel.forms import BoardFilter, OrderForm
from sales import audit
from sales.models import OpenOrder, OrdHdr
from sales.models.orders import WrongState

STEPS = {
    "allocate": ("allocated", OrdHdr.allocate),
    "ship": ("shipped", OrdHdr.ship),
    "cancel": ("cancelled", OrdHdr.cancel),
}


@staff
def board(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        take_step(request)
        return redirect(request.get_full_path())
    form = BoardFilter(request.GET)
    rows = filtered(form) if form.is_valid() else OpenOrder.objects.none()
    page = page_of(request, rows.order_by("-rush_fl", "req_dt", "ord_no"), 40)
    return render(request, "panel/board.html", {"form": form, "page": page, "tab": "orders"})


def filtered(form: BoardFilter) -> QuerySet[OpenOrder]:
    rows = OpenOrder.objects.all()
    want = form.cleaned_data
    if want["stat"]:
        rows = rows.filter(stat=want["stat"])
    if want["partner"]:
        rows = rows.filter(prt_cd=want["partner"].prt_cd)
    if want["rush"]:
        rows = rows.filter(rush_fl="Y")
    if want["late"]:
        rows = rows.filter(req_dt__lt=date.today())
    if q := want["q"]:
        found = Q(cust_nm__icontains=q) | Q(cust_cd=q.upper()) | Q(ext_ref__iexact=q)
        rows = rows.filter(found | Q(ord_no=int(q)) if q.isascii() and q.isdigit() else found)
    return rows


def take_step(request: HttpRequest) -> None:
    """Every chosen order by itself, so that one in the wrong state does not hold up the others."""
    chosen = [int(n) for n in request.POST.getlist("ord_no") if n.isascii() and n.isdigit()]
    done, step = STEPS.get(request.POST.get("step", ""), ("", None))
    if step is None or not chosen:
        messages.warning(request, "Choose orders and a step.")
        return
    count = 0
    for order in OrdHdr.objects.filter(ord_no__in=chosen).order_by("ord_no"):
        try:
            step(order, request.user.get_username())
            count += 1
        except WrongState as e:
            messages.warning(request, f"Skipped: {e}.")
    messages.success(request, f"{count} order{'s' if count != 1 else ''} {done}.")


@staff
def order(request: HttpRequest, ord_no: int) -> HttpResponse:
    o = get_object_or_404(OrdHdr.objects.select_related("cust"), ord_no=ord_no)
    form = OrderForm(request.POST or None, instance=o)
    if request.method == "POST" and form.is_valid():
        o = form.save(commit=False)
        o.upd_by = request.user.get_username()[:30]
        o.save()
        messages.success(request, f"Order {ord_no} saved.")
        return redirect(request.path)
    lines = [(line, line.item()) for line in o.lines.all()]
    trail = audit.trail("ord_hdr", ord_no)
    return render(request, "panel/order.html", {"o": o, "form": form, "lines": lines, "trail": trail, "tab": "orders"})
