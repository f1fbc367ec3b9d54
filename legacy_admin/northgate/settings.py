"""Settings of the Northgate Supply order system. See README.md, "The server", before touching anything here."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

# Same key since 2014: the reset links on the warehouse scanners' login cards are signed with it.
SECRET_KEY = os.environ.get("NORTHGATE_SECRET_KEY", "n0rthg8-2014-(do-not-change)-8f$k2!x^w1=zq3v7#p0")
DEBUG = os.environ.get("NORTHGATE_DEBUG", "") == "1"
ALLOWED_HOSTS = ["*"]  # ng-app01, ng-app01.northgate.local, orders.northgatesupply.example and the old IP


def database(url: str) -> dict[str, object]:
    """postgresql://user:password@host:port/name as Django wants it. Exits with one line if it is not of that form."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as e:
        sys.exit(f"NORTHGATE_DATABASE_URL is not a URL: {e}")
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        sys.exit("NORTHGATE_DATABASE_URL must look like postgresql://user:password@host:5432/northgate")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {
    "default": database(
        os.environ.get("NORTHGATE_DATABASE_URL", "postgresql://northgate:northgate@localhost:5432/northgate")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "sales",
    "partner",
    "panel",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "northgate.urls"
WSGI_APPLICATION = "northgate.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Every time in the database is Harrisburg wall clock, as the old system wrote it. Never switch USE_TZ on.
TIME_ZONE = "America/New_York"
USE_TZ = False
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
LOGIN_URL = "/panel/login/"
LOGIN_REDIRECT_URL = "/panel/"
LOGOUT_REDIRECT_URL = "/panel/login/"
SESSION_COOKIE_NAME = "ngsid"
SESSION_COOKIE_AGE = 12 * 3600  # one shift
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024  # CRANE's yearly price file is 14 MB

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
