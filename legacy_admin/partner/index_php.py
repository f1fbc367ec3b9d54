"""The PHP site's front door. Three actions of once forty are still called; the token is in X-Partner-Token."""

from django.http import HttpRequest, HttpResponse

from partner.wire import by_token, intval, plain, query
from sales.fields import local_now
from sales.models import Item
from sales.models.items import price_of


def index_php(request: HttpRequest) -> HttpResponse:
    action = query(request, "action").lower()
    if action == "ping":
        return plain("PONG")
    partner = by_token(request.headers.get("X-Partner-Token"))
    if partner is None:
        return plain("ERR|AUTH|bad token")
    if action not in ("price", "item"):
        return plain("ERR|ACTION|unknown action")
    item = Item.objects.filter(item_no=query(request, "item").strip().upper()).first()
    if item is None:
        return plain("ERR|ITEM|unknown item")
    if action == "item":
        return plain(f"{item.item_no}|{item.descr}|{item.cat_cd}|{item.uom}|{item.act_fl}")
    qty = intval(query(request, "qty")) or 1
    return plain(f"{item.item_no}|{price_of(item, partner.prc_lst, qty, local_now().date()):.2f}|USD")
