"""An administrator's connection, on which what we ask is PostgreSQL's own, whatever lies on the host's search path.

The path is a setting of the connection, made when it is opened. A SET would stay behind in a pooler that shares
connections by transactions, and the legacy app would find it there; such a pooler refuses the setting, or drops it.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

_OURS = "-c search_path=pg_catalog"


def connect(url: str, **words: Any) -> psycopg.Connection[Any]:
    """As `psycopg.connect`, with a search path of PostgreSQL's own. Raises psycopg.OperationalError.

    Behind a pooler that takes no settings it is the host's path.
    """
    given = conninfo_to_dict(url).get("options")
    try:
        return psycopg.connect(url, **words, options=f"{given} {_OURS}" if given else _OURS)
    except psycopg.OperationalError as error:
        if "startup parameter" not in str(error):
            raise
    return psycopg.connect(url, **words)
