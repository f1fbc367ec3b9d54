"""Banyan's front door: the edge, the typed API, the stages of the routes and the evidence for moving them."""

__version__ = "0.1.0"
