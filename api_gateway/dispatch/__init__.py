"""The junction: carries out a Decision. A request is answered by its route's mimic, refused as gone, or declined."""

from api_gateway.dispatch.dispatcher import Dispatcher, Holder, InService
from api_gateway.dispatch.live_looks import LiveLooks

__all__ = ["Dispatcher", "Holder", "InService", "LiveLooks"]
