"""The console: one page on its own port, behind a login, that shows where the migration stands. It changes nothing."""

from api_gateway.console.accounts import create_console_account, ensure_console_account
from api_gateway.console.application import build_console

__all__ = ["build_console", "create_console_account", "ensure_console_account"]
