"""A token bucket per caller, as one number each: the moment at which the bucket will be full again (GCRA).

A bucket holds what may be asked within a minute, so a caller that was quiet may ask for all of it at once; it fills
evenly. Each process fills its buckets at the quota divided by how many share the load: in sum about the quota.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import NamedTuple

WINDOW = 60
_MOST = 10_000


class Verdict(NamedTuple):
    """`left` of the quota, over all processes as far as this one knows; `full` and `wait` in seconds from now.

    `wait` is 0 for a request that is allowed, else when the next one will be.
    """

    quota: int
    left: int
    full: int
    wait: int


class Meter:
    """One bucket per name. At most `most` are kept: the one unused for longest is forgotten, and begins full again."""

    def __init__(self, most: int = _MOST) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, name: str, quota: int, shared_by: int, now: float) -> int:
        """Seconds until the bucket would give one request; nothing is taken."""
        each = WINDOW * shared_by / quota
        after = max(self._full_at.get(name, now), now) + each
        late = after - now - max(WINDOW, each)
        return max(1, math.ceil(late)) if late > 1e-6 else 0

    def take(self, name: str, quota: int, shared_by: int, now: float) -> Verdict:
        """Take one request out of the bucket. `quota`: requests per minute, 1 or more; `now`: seconds, monotonic."""
        each = WINDOW * shared_by / quota
        deep = max(WINDOW, each)  # a bucket holds one request at least
        full_at = max(self._full_at.get(name, now), now)
        after = full_at + each
        if after - now > deep + 1e-6:
            return Verdict(quota, 0, math.ceil(full_at - now), max(1, math.ceil(after - now - deep)))
        self._full_at[name] = after
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        here = int((deep - (after - now)) / each + 1e-6)
        return Verdict(quota, min(quota, here * shared_by), math.ceil(after - now), 0)
