from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from panel import board, customers, export, invoice_run

urlpatterns = [
    path("", RedirectView.as_view(url="/panel/orders/")),
    path("login/", LoginView.as_view(template_name="panel/login.html", redirect_authenticated_user=True)),
    path("logout/", LogoutView.as_view()),
    path("orders/", board.board),
    path("orders/<int:ord_no>/", board.order),
    path("invoices/", invoice_run.invoice_run),
    path("invoices/journal.csv", invoice_run.journal),
    path("customers/", customers.search),
    path("customers/<int:cust_no>/", customers.customer_file),
    path("documents/<int:doc_no>/", customers.document),
    path("export/lines.csv", export.order_lines),
]
