"""Recordings for `manage.py replay`: lines as others would write them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

START = datetime(2024, 5, 6, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def line(text: str, *, at: datetime, service: str = "Mail", region: str = "", **fields: Any) -> str:
    time = at.isoformat().replace("+00:00", "Z")
    return json.dumps({"time": time, "service": service, "region": region, "text": text, "id": "1"} | fields)


def an_outage(*, at: datetime = START + 50 * HOUR, n_reports: int = 60, region: str = "DE-BY") -> list[str]:
    """Write a minute-by-minute outage."""
    return [line(f"I can't log in {i % 7}", at=at + i * 10 * SECOND, region=region) for i in range(n_reports)]


def quiet_days(*, n_hours: int = 50) -> list[str]:
    return [line(f"a question about my invoice {i}", at=START + i * HOUR, region="FR") for i in range(n_hours)]


def write(folder: Path, lines: Iterable[str], name: str = "recording.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return file


def replay(file: Path, **options: Any) -> tuple[str, str, str]:
    """Run the command; return what it wrote to stdout and stderr, and its final complaint if it had one."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("replay", str(file), stdout=out, stderr=err, **options)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""
