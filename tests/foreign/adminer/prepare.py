"""Fills a new database with what somebody might keep with Adminer: python prepare.py DATABASE_URL."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg


def main(url: str) -> None:
    script = Path(__file__).with_name("stock.sql").read_bytes()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script)


if __name__ == "__main__":
    main(*sys.argv[1:])
