"""Drift at run time: what a changed schema takes out of service in this process, and when it comes back.

look (the shape of the tables concerned, as one short text)  ─ changed? ─►  judge (what does not fit any more)
    ─►  watch (acts on it in this process, says so, and writes it into the ledger once for all processes)
"""

from api_gateway.outages.judge import Judgement, judge, places_of
from api_gateway.outages.watch import SchemaWatch, Sight, roles_of

__all__ = ["Judgement", "SchemaWatch", "Sight", "judge", "places_of", "roles_of"]
