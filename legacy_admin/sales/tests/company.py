"""A customer, an item and a partner for the tests."""

from decimal import Decimal

from sales.models import Ctr, Customer, Item, OrdDtl, OrdHdr, Partner, StockMv

TOKEN = "a" * 32


def set_up() -> None:
    Ctr.objects.create(ctr_cd="INV", nxt=501)
    Ctr.objects.create(ctr_cd="CUST", nxt=77)
    Partner.objects.create(prt_cd="ACME", nm="Acme", api_tok=TOKEN, basic_pw="secret", prc_lst="P1")
    Customer.objects.create(cust_cd="HARL1", nm="Harlow", terms_cd="N30")
    Item.objects.create(item_no="NS-1", descr="Hammer", cat_cd="TOOL", prc=Decimal("9.99"))
    StockMv.objects.create(item_no="NS-1", mv_cd="RC", qty=100, ref="PO 1")


def order(*quantities: int, **columns: object) -> OrdHdr:
    placed = OrdHdr(cust=Customer.objects.get(cust_cd="HARL1"), upd_by="test", **columns)
    placed.place([OrdDtl(item_no="NS-1", qty=qty, prc=Decimal("9.99")) for qty in quantities])
    return placed


def available(item_no: str = "NS-1") -> int:
    return Item.objects.get(item_no=item_no).qty_oh
