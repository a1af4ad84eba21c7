"""The docs keep up with the code: settings, paths, commands, events, licences and links.

What is held together here are lists: a name that exists is documented, a name that is documented exists. Whether a
sentence is true is a reader's affair.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from celery.schedules import crontab

from feedback.schedule import BEAT_SCHEDULE
from reports.enums import EventKind

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DOC_IDS = [str(path.relative_to(ROOT)) for path in DOCS]
each_doc = pytest.mark.parametrize("doc", DOCS, ids=DOC_IDS)

READERS = {"text", "flag", "integer", "number", "words", "choice"}
CODE_CELL = re.compile(r"`([^`]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Folders of one machine; what an example needs is written /path/to or /srv.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users|private)/")
# Folders without a row of their own: what tools leave behind, and Django's migrations.
NOT_ON_THE_MAP = {"__pycache__", "migrations", "staticfiles", "build"}


@dataclass(frozen=True)
class Read:
    """A variable that the code reads: its name, and how the reader was called."""

    name: str
    reader: str
    call: ast.Call


# -- Settings ---------------------------------------------------------------------------------------------------------
def test_every_variable_that_is_read_is_documented() -> None:
    read = {found.name for found in variables_of_settings()} | variables_read_directly()

    assert read - documented_settings().keys() == set()


def test_every_documented_variable_is_read_somewhere() -> None:
    read = {found.name for found in variables_of_settings()} | variables_read_directly()
    elsewhere = "".join(
        (ROOT / path).read_text()
        for path in ("Makefile", "docker/.env.example", "tests/conftest.py", "tests/browser/conftest.py")
    )

    unknown = {name for name in documented_settings().keys() - read if not re.search(rf"\b{name}\b", elsewhere)}

    assert unknown == set()


def test_every_variable_of_the_compose_file_is_documented() -> None:
    names = re.findall(r"^([A-Z_]+)=", (ROOT / "docker/.env.example").read_text(), re.MULTILINE)

    assert set(names) - documented_settings().keys() == set()


def test_ranges_and_defaults_of_numbers_are_those_of_the_code() -> None:
    rows = documented_settings()
    for found in variables_of_settings():
        if found.reader == "integer":
            limits = {word.arg: ast.literal_eval(word.value) for word in found.call.keywords}
            default = ast.literal_eval(found.call.args[1])

            assert rows[found.name][:2] == (str(default), f"{limits['least']} to {limits['most']}"), found.name


def test_ranges_and_defaults_of_fractions_are_those_of_the_code() -> None:
    rows = documented_settings()
    for found in variables_of_settings():
        if found.reader == "number":
            limits = {word.arg: ast.literal_eval(word.value) for word in found.call.keywords}
            default = ast.literal_eval(found.call.args[1])

            taken = f"number from {limits['least']:g} to {limits['most']:g}"
            assert rows[found.name][:2] == (f"{default:g}", taken), found.name


def test_defaults_of_switches_are_those_of_the_code() -> None:
    rows = documented_settings()
    for found in variables_of_settings():
        if found.reader == "flag":
            default = ast.literal_eval(found.call.args[1])

            assert rows[found.name][:2] == (str(int(default)), "yes or no"), found.name


def test_words_to_choose_from_are_those_of_the_code() -> None:
    rows = documented_settings()
    for found in variables_of_settings():
        if found.reader == "choice":
            default, allowed = (ast.literal_eval(argument) for argument in found.call.args[1:3])

            assert rows[found.name][:2] == (default, ", ".join(allowed)), found.name


def test_reading_the_environment_is_noticed_in_every_spelling() -> None:
    code = """
os.environ["A_ONE"]
os.environ.get("A_TWO", "")
environ.setdefault("A_THREE", "1")
"A_FOUR" in os.environ
os.getenv("A_FIVE")
"""

    assert set(names_read_in(ast.parse(code))) == {"A_ONE", "A_TWO", "A_THREE", "A_FOUR", "A_FIVE"}


# -- The map ----------------------------------------------------------------------------------------------------------
def test_every_path_on_the_map_exists() -> None:
    missing = [path for path in paths_on_the_map() if not (ROOT / path).exists()]

    assert missing == []


@pytest.mark.parametrize("folder", ["", "reports", "feedback"])
def test_every_part_of_the_house_is_on_the_map(folder: str) -> None:
    on_the_map = {path.rstrip("/") for path in paths_on_the_map()}
    parts = {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in NOT_ON_THE_MAP
    }

    assert parts - on_the_map == set()


def test_every_command_is_on_the_map() -> None:
    text = (ROOT / "docs/map.md").read_text()
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py") if not path.stem.startswith("_")}

    assert {name for name in commands if f"`manage.py {name}`" not in text} == set()


# -- The pipeline -----------------------------------------------------------------------------------------------------
def test_the_beat_table_is_the_schedule() -> None:
    rows = {cells[0].strip("`"): cells for cells in table_rows("docs/pipeline.md") if len(cells) == 5}

    documented = {name: (rows[name][1], rows[name][2]) if name in rows else None for name in BEAT_SCHEDULE}

    assert documented == {
        name: (interval(entry["schedule"]), entry["options"].get("queue", "default"))
        for name, entry in BEAT_SCHEDULE.items()
    }


def test_every_kind_of_event_is_explained() -> None:
    explained = {cells[0].strip("`") for cells in table_rows("docs/pipeline.md") if len(cells) == 3}

    assert set(EventKind.values) - explained == set()


# -- Licences and decisions -------------------------------------------------------------------------------------------
def test_everything_we_depend_on_has_its_licence_told() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["embedded"], *extras["multilingual"]]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in wanted}  # type: ignore[index]  # each begins with a name

    assert names - first_cells("docs/licences.md") == set()


def test_everything_vendored_has_its_licence_told_and_with_it() -> None:
    folders = [path for path in (ROOT / "reports/static/vendor").iterdir() if path.is_dir()]

    assert {path.name for path in folders} - first_cells("docs/licences.md") == set()
    assert [path.name for path in folders if not (path / "LICENSE").is_file()] == []


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    index = (ROOT / "docs/decisions/README.md").read_text()

    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [page.name for page in pages if f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_tells_its_reasons_and_its_cost(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.findall(r"^\*\*([\w ]+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Why", "What it costs"]


# -- All of them ------------------------------------------------------------------------------------------------------
@each_doc
def test_links_lead_somewhere(doc: Path) -> None:
    dead = []
    for target in LINK.findall(doc.read_text()):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        found = (doc.parent / path).resolve() if path else doc
        if not found.exists() or (anchor and anchor not in anchors(found)):
            dead.append(target)

    assert dead == []


@each_doc
def test_no_machine_is_named(doc: Path) -> None:
    assert MACHINE_PATH.findall(doc.read_text()) == []


@each_doc
def test_commands_that_are_told_exist(doc: Path) -> None:
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    django = {"changepassword", "createsuperuser", "dbshell", "migrate", "help", "shell", "check", "COMMAND"}

    told = set(re.findall(r"manage\.py (\w+)", doc.read_text()))

    assert told - ours - django == set()


# -- Reading code and tables ------------------------------------------------------------------------------------------
@cache
def variables_of_settings() -> tuple[Read, ...]:
    """Return what `feedback/settings.py` reads by the readers of `feedback/env.py`."""
    return tuple(
        Read(ast.literal_eval(node.args[0]), node.func.attr, node)
        for path in sorted((ROOT / "feedback").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.func.attr in READERS
    )


@cache
def variables_read_directly() -> frozenset[str]:
    """Return the constant names that `feedback/` and `manage.py` read or set in the environment themselves."""
    files = [ROOT / "manage.py", *sorted((ROOT / "feedback").rglob("*.py"))]
    return frozenset(name for path in files for name in names_read_in(ast.parse(path.read_text())))


def names_read_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=where, slice=ast.Constant(value=str(name))) if is_environ(where):
                yield name
            case ast.Call(
                func=ast.Attribute(value=where, attr="get" | "setdefault" | "pop"),
                args=[ast.Constant(value=str(name)), *_],
            ) if is_environ(where):
                yield name
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()], comparators=[where]) if (
                is_environ(where)
            ):
                yield name


def is_environ(node: ast.AST) -> bool:
    """Tell whether an expression is the environment: `os.environ`, or what functions are handed as `environ`."""
    return ast.unparse(node).removeprefix("os.") == "environ"


@cache
def documented_settings() -> dict[str, tuple[str, ...]]:
    """Return the cells after the name (default, takes, meaning) of each variable in docs/settings.md."""
    rows = ((cells[0], tuple(cells[1:])) for cells in table_rows("docs/settings.md"))
    return {name.strip("`"): rest for name, rest in rows if re.fullmatch(r"`[A-Z][A-Z0-9_]+`", name)}


@cache
def paths_on_the_map() -> tuple[str, ...]:
    """Return every path that stands first in a row of a table of docs/map.md."""
    cells = [row[0] for row in table_rows("docs/map.md")]
    return tuple(
        word for cell in cells for word in CODE_CELL.findall(cell) if re.search(r"[/.]", word) and " " not in word
    )


@cache
def first_cells(doc: str) -> frozenset[str]:
    return frozenset(row[0].strip("`") for row in table_rows(doc))


@cache
def table_rows(doc: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of every table row of a page, without its rules."""
    lines = (line.strip() for line in (ROOT / doc).read_text().splitlines())
    rows = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("|"))
    return tuple(row for row in rows if not set("".join(row)) <= set("-: "))


@cache
def anchors(doc: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", doc.read_text(), re.MULTILINE) if doc.is_file() else []
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def interval(schedule: float | crontab) -> str:
    """Return an interval, or the time of day of what happens once a day, as the docs write it."""
    if isinstance(schedule, crontab):
        (hour,), (minute,) = schedule.hour, schedule.minute
        return f"day, {hour:02}:{minute:02} UTC"
    seconds = schedule
    hours, rest = divmod(seconds, 3600)
    return f"{hours:.0f} h" if hours and not rest else f"{seconds:.0f} s"
