"""Every setting of an installation, with its default and its reason. docs/settings.md lists them for operators.

Values come from the environment (readers in `env.py`). Without DATABASE_URL and REDIS_URL the addresses are those of
the services that `manage.py up` starts below DATA_DIR.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from feedback import env
from feedback.embedded import paths
from feedback.schedule import BEAT_SCHEDULE

# Read when numpy is loaded, which no module above does. Workers are processes of their own and their matrices are
# small: a second thread waits more than it computes (3,000 texts placed a CPU-second became 15,000).
os.environ.setdefault("OMP_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = paths.data_dir()


def _secret_key() -> str:
    """Return SECRET_KEY, or the installation's own one, made on first use and kept in DATA_DIR."""
    if given := env.text("SECRET_KEY", ""):
        if len(given) < 32:
            raise ImproperlyConfigured(
                "SECRET_KEY has fewer than 32 characters. Make one with: openssl rand -base64 48"
            )
        return given
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        try:
            DATA_DIR.mkdir(parents=True, exist_ok=True)
            # Written aside and linked into place: a process that starts at the same moment never reads half a key.
            with tempfile.NamedTemporaryFile("w", dir=DATA_DIR) as draft:  # made with mode 0600
                draft.write(secrets.token_urlsafe(48))
                draft.flush()
                os.fsync(draft.fileno())
                with contextlib.suppress(FileExistsError):
                    os.link(draft.name, kept)
        except OSError as error:
            raise ImproperlyConfigured(
                f"DATA_DIR={DATA_DIR} can't be written ({error.strerror}). Name another folder, or set SECRET_KEY."
            ) from error
    return kept.read_text()


# -- Who we are -------------------------------------------------------------------------------------------------------
SECRET_KEY = _secret_key()
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", ())
CSRF_FAILURE_VIEW = "reports.web.errors.csrf_failure"
SITE_NAME = env.text("SITE_NAME", "Outcry")
# Behind a proxy that ends TLS: believe X-Forwarded-Proto, and X-Forwarded-For from this many hops.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, least=0, most=10)
SECURE_COOKIES = env.flag("SECURE_COOKIES", False)
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
# What is usual follows the clocks of a service's users: these, unless the service has others.
SERVICE_TIME_ZONE = env.time_zone("SERVICE_TIME_ZONE", env.text("SERVICE_TIME_ZONE", "UTC"))
USE_TZ = True
USE_I18N = True

# -- What the house is made of ----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "feedback",
    "reports",
]
MIDDLEWARE = [
    "reports.web.middleware.ContentSecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "feedback.urls"
ASGI_APPLICATION = "feedback.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reports.web.context.site",
            ],
        },
    },
]

# -- Where things are kept --------------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", "")
_database: dict[str, Any] = (
    env.database(DATABASE_URL)
    if DATABASE_URL
    else {
        "NAME": "outcry",
        "USER": "outcry",
        "HOST": str(paths.postgres_socket_dir(DATA_DIR)),
        "PORT": "5432",
        "OPTIONS": {},
    }
)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        # Requests run on short-lived threads under ASGI, so connections must belong to a pool and not to a thread.
        "OPTIONS": {
            **_database["OPTIONS"],
            # Short times: whoever can do without the database must soon know that it is away, and soon that it is back.
            "pool": {
                "min_size": 0,
                "max_size": env.integer("DATABASE_POOL", 10, least=2, most=200),
                "timeout": 3,
                "reconnect_timeout": 2,
            },
            "connect_timeout": 3,
        },
        "CONN_HEALTH_CHECKS": True,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Where `manage.py replay` gets a database of its own: a context manager that yields its address.
SCRATCH_DATABASE = "feedback.embedded.postgres.scratch"

# Where reports wait while the database is away, and how much of the disk they may take.
SPOOL_DIR = env.text("SPOOL_DIR", str(DATA_DIR / "spool"))
SPOOL_MAX_MB = env.integer("SPOOL_MAX_MB", 1024, least=1, most=1_000_000)

REDIS_URL = env.text("REDIS_URL", f"unix://{paths.valkey_socket(DATA_DIR)}")

STATIC_URL = "static/"
STATIC_ROOT = None
# Static files are served from the checkout, found at start: nothing has to be collected before the first run.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600

# -- Who may do what --------------------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "status"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 86_400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script reads the cookie
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024  # a full batch: 10,000 reports of 1.6 kB

# -- REST -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["reports.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["reports.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "reports.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Outcry",
    "DESCRIPTION": "Hear an outage from the people who suffer it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
}

# -- Work in the background (docs/pipeline.md) ------------------------------------------------------------------------
CELERY_BROKER_URL = env.celery_broker(REDIS_URL)
CELERY_RESULT_BACKEND = None  # results are rows
CELERY_TASK_IGNORE_RESULT = True
CELERY_IMPORTS = ["reports.tasks"]
CELERY_TASK_DEFAULT_QUEUE = "default"
# Queues of their own, so that a backlog of one stage does not stand before another's work.
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"default": {}, "clustering": {}, "detection": {}}
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
# A teacher of many languages reads some fifty texts a second; two minutes would not do for 4,500.
CELERY_TASK_ANNOTATIONS = {"reports.learn_encoder": {"time_limit": 540, "soft_time_limit": 500}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# What is unacknowledged for so long is delivered again; reports.checks holds it above the time limit.
# A nudge that fails does so on a thread of its own; the short connect timeout is for the worker and beat.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_connect_timeout": 1, "socket_keepalive": True}
CELERY_TASK_PUBLISH_RETRY = False

# -- The main job -----------------------------------------------------------------------------------------------------
# `auto` takes the static vectors where they are installed, and hashing (which needs no model) where not, until a
# student learnt from this installation's own reports does better. `multilingual` needs `make install-models`, or a
# folder.
ENCODER = env.choice("ENCODER", "auto", ("auto", "static", "hashing", "minilm", "multilingual"))
# Where the operator's sentence model of many languages lies: for `multilingual`, and with `auto` as the teacher.
ENCODER_FOLDER = env.text("ENCODER_FOLDER", "")
# Which country an address belongs to: the package's file, or a newer one in its format.
COUNTRY_DATA = env.text("COUNTRY_DATA", "geoip2fast-ipv6.dat.gz")
# How many false suspicions a service may have in a month, on average; false confirmations are a twelfth of it. Below
# the least (one in eight years) the detector's table would only be extrapolated.
FALSE_ALARMS_PER_MONTH = env.number("FALSE_ALARMS_PER_MONTH", 1.0, least=0.01, most=30)
# What an API key may send in a minute, and at once; beyond it programs are told to wait. A full batch is 10,000.
KEY_REPORTS_PER_MINUTE = env.integer("KEY_REPORTS_PER_MINUTE", 1_200_000, least=10_000, most=100_000_000)
# From how many forms a minute of one service, or of one network, on a browser is asked for a proof of work.
FORM_REPORTS_PER_MINUTE = env.integer("FORM_REPORTS_PER_MINUTE", 120, least=1, most=1_000_000)
FORM_REPORTS_OF_A_NETWORK_PER_MINUTE = env.integer("FORM_REPORTS_OF_A_NETWORK_PER_MINUTE", 20, least=1, most=1_000_000)
# Which sites may carry the report widget, as browsers name them (https://example.org); * is any.
WIDGET_ORIGINS = env.origins("WIDGET_ORIGINS", env.words("WIDGET_ORIGINS", ("*",)))
# Where reports come by mail, such as imaps://user:password@mail.example.org/INBOX; nothing: there is no mailbox.
MAILBOX = env.mailbox(env.text("MAILBOX_URL", ""))
# The service of mails that name none.
MAILBOX_SERVICE = env.text("MAILBOX_SERVICE", "")
# Whether who writes a mail hears how it went on: their address is kept then, and only for that.
MAILBOX_CONTACT = env.flag("MAILBOX_CONTACT", False)
# The largest number a browser may have to find: 50,000 take a telephone about half a second.
PROOF_OF_WORK = env.integer("PROOF_OF_WORK", 50_000, least=1, most=10_000_000)
# Who may read /metrics without a key: private networks alone, or everybody.
METRICS = env.choice("METRICS", "near", ("near", "open"))
# How often two processes may nudge the same stage; below it, one nudge serves all.
NUDGE_INTERVAL_SECONDS = 0.25
# How far behind the stages may be before /readyz and the dashboard say so.
LAG_PROMISE_SECONDS = env.integer("LAG_PROMISE_SECONDS", 30, least=5, most=3600)
# Public pages show counts only from this many reporters on, so that no one is singled out.
PUBLIC_MIN_REPORTERS = env.integer("PUBLIC_MIN_REPORTERS", 10, least=1, most=1000)
# How long what reporters said is kept, and how long what was counted of it. A week at the least: encoders, labels and
# the page of quarantine read back as far. What is usual is learnt anew from counts after a change of time zones.
RETENTION_TEXT_DAYS = env.integer("RETENTION_TEXT_DAYS", 30, least=7, most=3650)
RETENTION_COUNTS_DAYS = env.integer("RETENTION_COUNTS_DAYS", 400, least=120, most=3650)
# Whether the public page says "Users report problems" as soon as the detector is sure. Off: a person publishes.
AUTO_PUBLISH = env.flag("AUTO_PUBLISH", False)

# -- What is written down ---------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Two lines a task, and one for each request with a wrong key, would bury what matters.
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Anybody can bring these about, a hundred lines each, and is told what is wrong.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.RequestDataTooBig": {"level": "CRITICAL"},
        "django.security.TooManyFieldsSent": {"level": "CRITICAL"},
        "django.security.TooManyFilesSent": {"level": "CRITICAL"},
    },
}
