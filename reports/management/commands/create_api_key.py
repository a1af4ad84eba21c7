"""`manage.py create_api_key NAME --scope intake`: a key from the command line, where nobody clicks through pages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from reports.enums import Scope
from reports.errors import InvalidInput
from reports.intake.apikeys import create_key


class Command(BaseCommand):
    help = "Make an API key and print it. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what will use it")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="what it may do; give it once for each",
        )

    def handle(self, *args: Any, name: str, scope: list[str], **options: Any) -> None:
        try:
            key = create_key(name=name, scopes=scope, created_by_id=None, now=timezone.now())
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"API key {key.name!r} ({', '.join(scope)}). It is shown this once:")
        self.stdout.write(key.secret)
