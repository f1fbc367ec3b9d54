"""Moving a route: what can be asked, what it needs, the move itself, and where everybody stands."""

from api_gateway.moves.asked import listed_route, stage_named
from api_gateway.moves.leaving import StillCalled, mail, read_still_called
from api_gateway.moves.move import Outcome, Refused, move, rollback, rollback_everyone
from api_gateway.moves.standing import Standing, standings
from api_gateway.moves.weigh import required, spoken

__all__ = [
    "Outcome",
    "Refused",
    "Standing",
    "StillCalled",
    "listed_route",
    "mail",
    "move",
    "read_still_called",
    "required",
    "rollback",
    "rollback_everyone",
    "spoken",
    "stage_named",
    "standings",
]
