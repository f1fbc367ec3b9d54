"""The inventory: which endpoints the legacy app really has, who calls them, when last: from access logs, HTTP archives
and from what the edge sees of requests that are not listed. It holds templates, never values, and no token."""

from api_gateway.inventory.inventory import Endpoint, Inventory

__all__ = ["Endpoint", "Inventory"]
