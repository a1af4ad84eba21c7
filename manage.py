#!/usr/bin/env python3
"""The operators' door: every command of Outcry starts here (`manage.py help` lists them)."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    # Our matrices are small: threads cost more than they give, and the machine is shared with the database.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here. Run `make install`, then use `.venv/bin/python manage.py`."
        ) from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
