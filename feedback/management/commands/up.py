"""`manage.py up`: start everything that is not configured elsewhere, and look after it until Ctrl-C.

Invariant: only a face; `feedback.embedded.up` does the work and reads PORT, HOST and DATA_DIR from the environment.
"""

import sys

from django.core.management.base import BaseCommand

from feedback.embedded.up import main


class Command(BaseCommand):
    help = "Start database, broker, web, worker and beat on this machine; stop them with Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        sys.exit(main())
