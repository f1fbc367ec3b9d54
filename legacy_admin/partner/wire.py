"""How partners' programs talk to us. Ported from the PHP site in 2014, and its habits with it: see README."""

import re
from datetime import date
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse

from sales.models import Partner


def intval(text: str | None) -> int:
    """PHP's intval on 32 bits: leading digits count, nonsense is 0. Partners send '4711 ' and '12.0'."""
    found = re.match(r"[ \t\r\n]*([+-]?[0-9]+)", text or "")
    return max(-(2**31), min(2**31 - 1, int(found[1][:12]))) if found else 0


def query(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "")


def form(request: HttpRequest) -> dict[str, str]:
    """The fields of the body, whatever it calls itself: BOLT's AS/400 sends no content type, and Latin-1. Last wins."""
    fields = {}
    for pair in request.body.replace(b"+", b" ").split(b"&"):
        name, _, value = pair.partition(b"=")
        fields[text(unquote_to_bytes(name))] = text(unquote_to_bytes(value)).strip()
    return fields


def text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return raw.decode("latin-1").replace("\0", "")


def day(written: str) -> date | None:
    """2026-11-05 or 11/05/2026; None for anything else."""
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", written):
        year, month, dom = found.groups()
    elif found := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", written):
        month, dom, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(dom))
    except ValueError:
        return None


def latin1(body: str, content_type: str) -> HttpResponse:
    """What Latin-1 does not have becomes a question mark."""
    return HttpResponse(body.encode("latin-1", "replace"), content_type=content_type + "; charset=ISO-8859-1")


def plain(body: str) -> HttpResponse:
    return HttpResponse(body, content_type="text/plain")


def by_token(token: str | None) -> Partner | None:
    """The active partner of a token, however it came: query, form field or header."""
    token = (token or "").replace("\0", "").strip()
    return Partner.objects.filter(api_tok=token, act_fl="Y").first() if token else None
