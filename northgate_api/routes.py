"""The migration of Northgate's partner endpoints on one page: what is listed, who calls it, what replaces it."""

from __future__ import annotations

from api_gateway.routes import BasicAuth, FormToken, HeaderToken, Ignore, QueryToken, Recorded, Route
from northgate_api.mimics.customer_new import customer_new
from northgate_api.mimics.index_php import index_php
from northgate_api.mimics.invoice_text import invoice_text
from northgate_api.mimics.order_in import order_cancel, order_in
from northgate_api.mimics.order_list import order_list
from northgate_api.mimics.order_status import order_status
from northgate_api.mimics.price_upload import price_upload
from northgate_api.mimics.stock import stock_csv

routes = [
    Route(
        "orders.list",
        "GET",
        "/partner/orders.xml",
        consumer=QueryToken("token"),
        mimic=order_list,
        recorded=Recorded(share=0.1),
        successor="/api/v1/orders",
        description="A partner's own orders as XML, fifty a page.",
    ),
    Route(
        "orders.status",
        "GET",
        "/partner/order_status",
        consumer=HeaderToken("X-Partner-Token"),
        mimic=order_status,
        successor="/api/v1/orders",
        description="One order as JSON, by number or by the partner's reference.",
    ),
    Route(
        "orders.intake",
        "POST",
        "/partner/order_in",
        consumer=FormToken("token"),
        mimic=order_in,
        fields=("cust", "ref", "req_dt", "rush", "notes", "item1", "qty1", "item2", "qty2"),
        successor="/api/v1/orders",
        description="A new order as a form, answered by one line of text.",
    ),
    Route(
        "orders.cancel",
        "POST",
        "/partner/order_cancel",
        consumer=FormToken("token"),
        mimic=order_cancel,
        fields=("no",),
        successor="/api/v1/orders/{number}/cancellation",
        description="Cancels an order that is open or allocated.",
    ),
    Route(
        "stock.csv",
        "GET",
        "/partner/stock.csv",
        consumer=QueryToken("token"),
        mimic=stock_csv,
        successor="/api/v1/items",
        description="What is on the shelf, for spreadsheets: semicolons, decimal comma, Latin-1.",
    ),
    Route(
        "prices",
        "GET",
        "/index.php",
        query={"action": "price"},
        consumer=HeaderToken("X-Partner-Token"),
        mimic=index_php,
        description="One item's price at a quantity. Two more actions of index.php are still called, and not listed.",
    ),
    Route(
        "customers.create",
        "POST",
        "/partner/customer_new",
        consumer=BasicAuth(),
        mimic=customer_new,
        fields=("name", "addr1", "addr2", "city", "zip", "country", "email", "phone", "password"),
        ignore=(Ignore("written.public.user_acct[*].pw_hash", "salted anew each time", owner="platform team"),),
        successor="/api/v1/customers",
        description="A new customer, with a login where a password is sent.",
    ),
    Route(
        "invoice.text",
        "GET",
        "/partner/invoice/{no}.txt",
        consumer=BasicAuth(),
        mimic=invoice_text,
        successor="/api/v1/invoices",
        description="One invoice as the line printer had it.",
    ),
    Route(
        "prices.upload",
        "POST",
        "/partner/price_upload",
        consumer=QueryToken("token"),
        mimic=price_upload,
        rows="item_no;min_qty;price;valid_from;valid_to",
        timeout=30.0,
        description="A partner's agreed prices, as a file or as the body.",
    ),
]
