"""Recordings: real requests with legacy's answers, masked, kept for a while and put to a candidate again.

A route is recorded when its entry says so (`recorded=Recorded(…)`). For whoever replays them:

    for recording in recordings.read(connection, "orders.list"):
        recording.consumer, recording.path, recording.query, recording.form, recording.body, …

A `Recording` never holds what named its caller: the consumer's code stands in its place, and whoever sends the request
again adds a secret of that consumer's. What else was hidden is `•••` in the value and named in `recording.masked`.
"""

from api_gateway.recordings.read import Kept, delete, read, summary
from api_gateway.recordings.recording import Recording

__all__ = ["Kept", "Recording", "delete", "read", "summary"]
