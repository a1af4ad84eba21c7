"""`python -m feedback.embedded.schema`: bring the tables up to date, then prepare what a first visitor needs.

Invariant: running it again changes nothing. Only what `prepare` prints goes to standard output (credentials, once); the
notes of the migration go to standard error, that is, to a log. One program for both, since loading Django costs most.
"""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, stdout=sys.stderr)
    call_command("prepare")


if __name__ == "__main__":
    main()
