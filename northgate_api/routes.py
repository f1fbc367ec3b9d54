"""The migration of Northgate's partner endpoints on one page: what is listed, who calls it, what replaces it."""

from __future__ import annotations

from api_gateway.routes import BasicAuth, FormToken, HeaderToken, QueryToken, Route
from northgate_api.mimics.order_list import order_list
from northgate_api.mimics.order_status import order_status

routes = [
    Route(
        "orders.list",
        "GET",
        "/partner/orders.xml",
        consumer=QueryToken("token"),
        mimic=order_list,
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
        successor="/api/v1/orders",
        description="A new order as a form, answered by one line of text.",
    ),
    Route(
        "orders.cancel",
        "POST",
        "/partner/order_cancel",
        consumer=FormToken("token"),
        description="Cancels an order that is open or allocated.",
    ),
    Route(
        "stock.csv",
        "GET",
        "/partner/stock.csv",
        consumer=QueryToken("token"),
        successor="/api/v1/items",
        description="What is on the shelf, for spreadsheets: semicolons, decimal comma, Latin-1.",
    ),
    Route(
        "prices",
        "GET",
        "/index.php",
        query={"action": "price"},
        consumer=HeaderToken("X-Partner-Token"),
        description="One item's price at a quantity. Two more actions of index.php are still called, and not listed.",
    ),
    Route(
        "customers.create",
        "POST",
        "/partner/customer_new",
        consumer=BasicAuth(),
        description="A new customer, with a login where a password is sent.",
    ),
    Route(
        "invoice.text",
        "GET",
        "/partner/invoice/{no}.txt",
        consumer=BasicAuth(),
        successor="/api/v1/invoices",
        description="One invoice as the line printer had it.",
    ),
    Route(
        "prices.upload",
        "POST",
        "/partner/price_upload",
        consumer=QueryToken("token"),
        description="A partner's agreed prices, as a file or as the body.",
    ),
]
