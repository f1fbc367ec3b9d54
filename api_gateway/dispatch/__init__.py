"""The junction: carries out a Decision. A request is answered by its route's mimic, refused as gone, or declined."""

from api_gateway.dispatch.dispatcher import Dispatcher, Holder, InService

__all__ = ["Dispatcher", "Holder", "InService"]
