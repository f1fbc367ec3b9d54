# mypy: disallow-any-generics=False
from django.contrib import admin
from django.http import HttpRequest

from sales.models import CalHol, Category, Item, PriceLst, StockMv, Whse


@admin.register(Item)
class ItemAdmin(admin.ModelAdmin):
    list_display = ["item_no", "descr", "cat_cd", "uom", "prc", "qty_oh", "act_fl"]
    list_filter = ["act_fl", "cat_cd", "uom"]
    search_fields = ["item_no", "descr"]
    list_per_page = 50
    readonly_fields = ["qty_oh"]


@admin.register(PriceLst)
class PriceLstAdmin(admin.ModelAdmin):
    list_display = ["lst_cd", "item_no", "min_qty", "prc", "vld_from", "vld_to"]
    list_filter = ["lst_cd", "vld_from"]
    search_fields = ["item_no"]
    ordering = ["lst_cd", "item_no", "min_qty", "vld_from"]


@admin.register(StockMv)
class StockMvAdmin(admin.ModelAdmin):
    """Movements are booked, never changed."""

    list_display = ["mv_no", "mv_dt", "item_no", "mv_cd", "qty", "ref", "whse"]
    list_filter = ["mv_cd", "whse"]
    search_fields = ["item_no", "=ref"]
    ordering = ["-mv_no"]
    show_full_result_count = False
    list_select_related = ["whse"]
    readonly_fields = ["mv_dt"]

    def has_change_permission(self, request: HttpRequest, obj: StockMv | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockMv | None = None) -> bool:
        return False


admin.site.register(Category, list_display=["cat_cd", "nm"])
admin.site.register(Whse, list_display=["whse_cd", "nm", "city"])
admin.site.register(CalHol, list_display=["hol_dt", "nm"])
