"""The customer file: everything about one customer on one page."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from panel.access import page_of, staff
from panel.forms import CustomerForm, DocForm, NoteForm
from sales import audit
from sales.models import CustDoc, Customer


@staff
def search(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "").replace("\0", "").strip()
    found = Customer.live.select_related("rep").order_by("nm", "cust_no")
    if q:
        found = found.filter(
            Q(nm__icontains=q) | Q(cust_cd__istartswith=q) | Q(email__icontains=q) | Q(city__icontains=q)
        )
    return render(request, "panel/customers.html", {"q": q, "page": page_of(request, found, 40), "tab": "customers"})


@staff
def customer_file(request: HttpRequest, cust_no: int) -> HttpResponse:
    c = get_object_or_404(Customer, cust_no=cust_no)
    who = request.user.get_username()
    pressed = request.POST.get("form", "")
    form = CustomerForm(request.POST if pressed == "master" else None, instance=c)
    note = NoteForm(request.POST if pressed == "note" else None)
    doc = DocForm(request.POST, request.FILES) if pressed == "doc" else DocForm()
    if form.is_valid():
        form.save()
        audit.write(who, "CHG", "customer", cust_no, ", ".join(form.changed_data))
    elif note.is_valid():
        c.notes.create(txt=note.cleaned_data["txt"], crt_by=who)
    elif doc.is_valid():
        attach(c, doc.cleaned_data["file"], who)
    else:
        return render(request, "panel/customer.html", shown(request, c) | {"form": form, "note": note, "doc": doc})
    messages.success(request, "Saved.")
    return redirect(request.path)


def attach(c: Customer, upload: "UploadedFile[bytes]", who: str) -> None:
    data = upload.read()
    c.docs.create(
        fname=(upload.name or "document")[:120],
        ctype=(upload.content_type or "application/octet-stream")[:80],
        size=len(data),
        data=data,
        crt_by=who,
    )


def shown(request: HttpRequest, c: Customer) -> dict[str, object]:
    return {
        "c": c,
        "orders": page_of(request, c.orders.order_by("-ord_dt", "-ord_no"), 15),
        "invoices": c.invoices.filter(stat="O").order_by("due_dt")[:15],
        "notes": c.notes.order_by("-crt_dt", "-note_no")[:10],
        "docs": c.docs.defer("data").order_by("-doc_no"),
        "trail": audit.trail("customer", c.cust_no, 8),
        "tab": "customers",
    }


@staff
def document(request: HttpRequest, doc_no: int) -> HttpResponse:
    d = get_object_or_404(CustDoc, doc_no=doc_no)
    answer = HttpResponse(bytes(d.data), content_type=d.ctype)
    name = "".join(c if c.isalnum() or c in "._- " else "_" for c in d.fname)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
