"""How much one caller may ask for: per consumer with a key, per address without one. Pure; the clock is a parameter."""

from api_gateway.limits.address import client_address
from api_gateway.limits.attempts import Attempts
from api_gateway.limits.limits import Limits
from api_gateway.limits.meter import WINDOW, Meter, Verdict

__all__ = ["WINDOW", "Attempts", "Limits", "Meter", "Verdict", "client_address"]
