"""What is more than one row: hand-written endpoints over the legacy tables."""

from northgate_api.operations.place_order import place_order

operations = [place_order]
