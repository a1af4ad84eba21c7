"""The ASGI application: the Edge answers the hot routes, Django everything else; one server, one port."""

import gc
import os
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from reports.edge.asgi import Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from feedback import celery  # noqa: E402, F401  connects the nudges to the broker
from reports.edge.application import Edge  # noqa: E402  the app registry must be ready first

application = Edge(cast("Application", django_application))

# What is loaded by now stays for good: looking through it again and again for rubbish took a sixth of a report's
# processor time. What a request leaves behind is found by counting references, nearly always.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
