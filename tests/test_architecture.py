"""The walls of the house: who may import whom, types, style, and what the web process may load."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# Who may speak HTTP as Django spells it (DESIGN: web; the REST face answers with Django's responses too).
HTTP_FACES = ("reports/web/", "reports/api/", "reports/admin")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_imports_keep_their_direction() -> None:
    done = run(str(BIN / "lint-imports"), "--no-cache")

    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_types_are_strict_and_sound() -> None:
    done = run(sys.executable, "-m", "mypy")

    assert done.returncode == 0, done.stdout


def test_style_is_kept() -> None:
    done = run(str(BIN / "ruff"), "check", "--output-format", "concise", ".")

    assert done.returncode == 0, done.stdout


def test_format_is_kept() -> None:
    done = run(str(BIN / "ruff"), "format", "--check", ".")

    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_migrations_hold_what_the_models_say() -> None:
    output = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=output)

    assert "No changes" in output.getvalue()


def test_migrations_are_one_line() -> None:
    names = sorted(path.stem for path in (ROOT / "reports/migrations").glob("[0-9]*.py"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_only_faces_speak_http() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / "reports").rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(HTTP_FACES)
        for module in imported_modules(path)
        if module.startswith(("django.http", "django.shortcuts", "django.views"))
    ]

    assert offenders == []


def test_a_task_is_no_longer_than_eight_lines() -> None:
    tree = ast.parse((ROOT / "reports/tasks.py").read_text())

    tasks = [node for node in tree.body if isinstance(node, ast.FunctionDef)]

    assert tasks
    assert [task.name for task in tasks if (task.end_lineno or 0) - task.lineno + 1 > 8] == []


def test_no_signals() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "reports").rglob("*.py"))
        if any(module.startswith(("django.db.models.signals", "django.dispatch")) for module in imported_modules(path))
    ]

    assert offenders == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_web_process_never_loads_numpy() -> None:
    environ = {**os.environ, "DATABASE_URL": database_address()}

    done = subprocess.run(
        [sys.executable, "-c", SERVE_AND_LOOK], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == "loaded: []", done.stdout


def database_address() -> str:
    from urllib.parse import quote

    from django.db import connection

    address = connection.settings_dict
    return (
        f"postgres://{address['USER']}@/{address['NAME']}?host={quote(address['HOST'])}&port={address['PORT'] or 5432}"
    )


# A real server process would do the same: take the application, answer every kind of page, and look what is loaded.
SERVE_AND_LOOK = """
import sys
from feedback.asgi import application
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from reports.models import Service

Service.objects.create(slug="mail", name="Mail", created_at=timezone.now())
user = get_user_model().objects.create_superuser("boss", password="a long password")
client = Client(headers={"host": "localhost"})
for address in ("/", "/report", "/report/mail", "/readyz", "/metrics", "/api/schema/", "/login"):
    answer = client.get(address)
    assert answer.status_code in (200, 503), (address, answer.status_code)
answer = client.post("/report/mail", {"service": "mail", "text": "can't log in", "symptom": "login"})
assert answer.status_code in (200, 303), answer.status_code
client.force_login(user)
for address in ("/dashboard", "/dashboard/what-if", "/dashboard/services", "/dashboard/keys"):
    assert client.get(address).status_code == 200, address
heavy = ("numpy", "scipy", "sklearn", "wordllama", "ml", "reports.tasks", "reports.clustering.services")
print("loaded:", [name for name in heavy if name in sys.modules])
"""


def imported_modules(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found
