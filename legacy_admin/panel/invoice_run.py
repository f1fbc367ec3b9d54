"""The invoice run, Tuesdays and Fridays: choose shipped orders, press the button, download the journal."""

import csv
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date

from panel.access import page_of, staff
from panel.forms import RunForm
from sales.invoicing import NotBillable, issue
from sales.models import InvHdr, OrdHdr
from sales.models.orders import SHIPPED, WrongState


@staff
def invoice_run(request: HttpRequest) -> HttpResponse:
    shipped = OrdHdr.objects.filter(stat=SHIPPED).select_related("cust").order_by("ord_no")
    page = page_of(request, shipped, 50)
    shown = [o.ord_no for o in page]
    form = RunForm(request.POST or None, shown=shown, initial={"on": date.today()})
    if request.method == "POST" and form.is_valid():
        run(request, form.cleaned_data["orders"], form.cleaned_data["on"])
        return redirect(request.get_full_path())
    latest = InvHdr.objects.select_related("cust").order_by("-inv_no")[:15]
    return render(request, "panel/invoice_run.html", {"form": form, "page": page, "latest": latest, "tab": "invoices"})


def run(request: HttpRequest, orders: list[int], on: date) -> None:
    numbers = []
    for ord_no in sorted(orders):
        try:
            numbers.append(issue(ord_no, on, request.user.get_username()).inv_no)
        except (NotBillable, WrongState) as e:
            messages.warning(request, f"Skipped: {e}.")
    if numbers:
        messages.success(request, f"{len(numbers)} invoices issued, {numbers[0]} to {numbers[-1]}.")


@staff
def journal(request: HttpRequest) -> HttpResponse:
    """The day's invoices for the accountants' import: CSV in Latin-1, as their program wants it."""
    try:
        on = parse_date(request.GET.get("on", "")) or date.today()
    except ValueError:
        return HttpResponse("There is no such day.\n", status=400, content_type="text/plain")
    answer = HttpResponse(content_type="text/csv; charset=ISO-8859-1")
    answer["Content-Disposition"] = f"attachment; filename=journal-{on:%Y%m%d}.csv"
    rows = csv.writer(answer, delimiter=";")
    rows.writerow(["invoice", "order", "customer", "name", "net", "tax", "gross", "due"])
    for i in InvHdr.objects.filter(inv_dt=on).select_related("cust").order_by("inv_no"):
        name = i.cust.nm.encode("latin-1", "replace").decode("latin-1")
        rows.writerow([i.inv_no, i.ord_id, i.cust.cust_cd, name, i.net_amt, i.tax_amt, i.gross_amt, i.due_dt])
    return answer
