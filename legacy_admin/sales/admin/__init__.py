"""The admin is for master data and repairs. Daily work belongs in the panel."""

from sales.admin import customers, invoices, items, orders

__all__ = ["customers", "invoices", "items", "orders"]
