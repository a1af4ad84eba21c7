"""The ASGI application: the Edge answers the hot routes, Django everything else; one server, one port."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from reports.edge.application import Edge  # noqa: E402  the app registry must be ready first

from feedback import celery  # noqa: E402, F401  connects the nudges to the broker

application = Edge(django_application)
