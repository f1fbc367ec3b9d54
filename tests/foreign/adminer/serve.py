"""Starts Adminer at HOST PORT: PHP and Adminer come from Debian's packages, unpacked into the tests' cache."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.debian_packages import debian_package, debian_php


def main(host: str, port: str) -> None:
    php, adminer = debian_php(), debian_package("adminer")
    program = max(php.glob("usr/bin/php[0-9]*"))
    (extensions,) = {path.parent for path in php.glob("usr/lib/php/*/pgsql.so")}
    libraries = sorted({str(path.parent) for path in php.glob("usr/lib/*/*.so.*")})
    settings = {
        "extension_dir": extensions,
        "extension": "pgsql.so",
        "session.save_path": tempfile.gettempdir(),
        "display_errors": "0",
    }
    words = [word for name, value in settings.items() for word in ("-d", f"{name}={value}")]
    root = adminer / "usr/share/adminer"
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join([*libraries, os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(":"),
        "PHP_CLI_SERVER_WORKERS": "2",
    }
    os.execve(program, [str(program), "-n", *words, "-S", f"{host}:{port}", "-t", str(root)], environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
