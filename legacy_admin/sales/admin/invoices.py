# mypy: disallow-any-generics=False
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sales.models import Ctr, InvHdr, RptSales


@admin.register(InvHdr)
class InvHdrAdmin(admin.ModelAdmin):
    """Invoices come from the invoice run. Here one can look, and mark them paid."""

    list_display = ["inv_no", "inv_dt", "cust", "ord", "net_amt", "gross_amt", "stat", "due_dt"]
    list_filter = ["stat", "inv_dt"]
    search_fields = ["=inv_no", "=ord__ord_no", "cust__cust_cd", "cust__nm"]
    date_hierarchy = "inv_dt"
    ordering = ["-inv_no"]
    list_per_page = 50
    list_select_related = ["cust", "ord"]
    show_full_result_count = False
    readonly_fields = ["inv_no", "ord", "cust", "inv_dt", "due_dt", "net_amt", "tax_amt", "gross_amt", "lines"]
    fields = [*readonly_fields, "stat", "pd_dt"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: InvHdr | None = None) -> bool:
        return False

    @admin.display(description="lines")
    def lines(self, inv: InvHdr) -> SafeString:
        """As text: an inline cannot have a key of two columns."""
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            ((line.item_no, line.descr, line.qty, line.prc, line.ln_amt) for line in inv.lines.all()),
        )
        return format_html("<table>{}</table>", rows)


@admin.register(RptSales)
class RptSalesAdmin(admin.ModelAdmin):
    list_display = ["month", "rep_cd", "inv_cnt", "net_amt"]
    list_filter = ["rep_cd"]
    ordering = ["-month", "rep_cd"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


admin.site.register(Ctr, list_display=["ctr_cd", "nxt"])
