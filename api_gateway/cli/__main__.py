"""The program `banyan`, and `python -m api_gateway.cli`: how a process of Banyan starts another one."""

from __future__ import annotations

import gc
import os
import sys

from api_gateway.cli import main


def program() -> None:
    """Run a verb, and end. A verb that turned the collector off is done with all it made: that goes with the process.

    Python would free millions of objects one by one before it ends: of a thousand tables a tenth of the whole time.
    """
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    if gc.isenabled() or not isinstance(code, int):
        sys.exit(code)  # type: ignore[arg-type]  # whatever SystemExit was made of
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 141  # the reader left, as `main` has it
    os._exit(code)


if __name__ == "__main__":
    program()
