"""What no wheel carries: install it by apt where we may, else say which command to run.

Run as a program before the tests. Nothing here is ever a reason to skip a test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")


def missing_packages() -> list[str]:
    """Debian packages whose programs are not here."""
    wanted = {
        "chromium": CHROMIUM.exists(),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/postgres")),
    }
    return [name for name, present in wanted.items() if not present]


def main() -> int:
    packages = missing_packages()
    if not packages:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"tests need what no wheel carries; run: sudo {' '.join(command)}", file=sys.stderr)
        return 2
    print(f"installing {', '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], [*command[:2], "-qq", *command[2:]]):
        answer = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode:
            print(f"{' '.join(step)} failed: {(answer.stderr or answer.stdout).strip()[-400:]}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
