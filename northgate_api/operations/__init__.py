"""What is more than one row: hand-written endpoints over the legacy tables."""

from northgate_api.operations.billing import credit_invoice, issue_invoice
from northgate_api.operations.cancel_order import cancel_order
from northgate_api.operations.import_prices import import_prices
from northgate_api.operations.place_order import place_order
from northgate_api.operations.place_orders import place_orders
from northgate_api.operations.sign_up import sign_up

operations = [place_order, place_orders, cancel_order, sign_up, issue_invoice, credit_invoice, import_prices]
