"""customer_new: basic auth, a form, JSON back."""

import json

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from partner.basic import by_password, refused
from partner.wire import form
from sales import audit
from sales.models import Ctr, Customer, Partner, UserAcct


def answer(**data: object) -> HttpResponse:
    return HttpResponse(json.dumps(data, separators=(",", ":")), content_type="application/json")


@csrf_exempt
def customer_new(request: HttpRequest) -> HttpResponse:
    partner = by_password(request)
    if partner is None:
        return refused()
    fields = form(request)
    if not fields.get("name"):
        return answer(ok=0, err="name missing")
    email = fields.get("email", "")[:120]
    if email and "@" not in email:
        return answer(ok=0, err="bad email")
    known = (
        Customer.live.filter(src_cd=partner.prt_cd, email__iexact=email).order_by("cust_no").first() if email else None
    )
    if known:
        return answer(ok=1, cust=known.cust_cd, dup=True)
    if fields.get("password") and UserAcct.objects.filter(login=email.lower()[:60]).exists():
        return answer(ok=0, err="login taken")
    return answer(ok=1, cust=create(partner, fields, email).cust_cd)


@transaction.atomic
def create(partner: Partner, fields: dict[str, str], email: str) -> Customer:
    """With a password the customer gets a login for the app as well."""
    cust = Customer.objects.create(
        cust_cd=f"C{Ctr.draw('CUST'):06d}",
        nm=fields["name"][:80],
        addr1=fields.get("addr1", "")[:80],
        addr2=fields.get("addr2", "")[:80] or None,
        city=fields.get("city", "")[:60],
        zip=fields.get("zip", "")[:12],
        ctry=(fields.get("country") or "US").upper()[:2],
        email=email or None,
        tel=fields.get("phone", "")[:30],
        src_cd=partner.prt_cd,
    )
    audit.write(partner.prt_cd, "NEW", "customer", cust.cust_no, cust.nm)
    if email and fields.get("password"):
        UserAcct.objects.create(
            login=email.lower()[:60], pw_hash=make_password(fields["password"]), cust_no=cust.cust_no
        )
    return cust
