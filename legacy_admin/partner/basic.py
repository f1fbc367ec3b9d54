"""HTTP basic auth with the partner's code and password. Only what Dale wrote uses it (customer_new, invoices)."""

import base64
import binascii

from django.http import HttpRequest, HttpResponse

from sales.models import Partner


def by_password(request: HttpRequest) -> Partner | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        code, _, password = base64.b64decode(encoded).decode("latin-1").replace("\0", "").partition(":")
    except (binascii.Error, ValueError):
        return None
    return Partner.objects.filter(prt_cd=code.upper(), basic_pw=password, act_fl="Y").first()


def refused() -> HttpResponse:
    answer = HttpResponse("Authorization required\n", status=401, content_type="text/plain")
    answer["WWW-Authenticate"] = 'Basic realm="Northgate partners"'
    return answer
