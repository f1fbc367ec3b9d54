from django.urls import path

from partner import customers, intake, invoices, orders, prices, stock

urlpatterns = [
    path("orders.xml", orders.orders_xml),
    path("order_status", orders.order_status),
    path("order_in", intake.order_in),
    path("order_cancel", intake.order_cancel),
    path("stock.csv", stock.stock_csv),
    path("customer_new", customers.customer_new),
    path("invoice/<int:no>.txt", invoices.invoice_txt),
    path("price_upload", prices.price_upload),
]
