"""The container set-up, as far as a machine without an engine can prove it: complete, pinned, unprivileged, in step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from feedback.embedded import programs

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docker"
COMPOSE_TEXT = (DOCKER / "compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
ENTRYPOINT = DOCKER / "entrypoint.sh"
ENV_EXAMPLE = (DOCKER / ".env.example").read_text()

APP_SERVICES = ("web", "worker", "beat", "migrate")
PINNED = re.compile(r"^[a-z0-9/.-]+:\d+\.\d+(\.\d+)?[a-z0-9.-]*@sha256:[0-9a-f]{64}$")
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD"}


def env_example() -> dict[str, str]:
    lines = [line for line in ENV_EXAMPLE.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def run_role(*arguments: str, tmp_path: Path) -> str:
    """Run the entrypoint with a stand-in for Python that says how it was called."""
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\necho "$@"\n')
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ENTRYPOINT), *arguments],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def options(command: list[str]) -> set[str]:
    return {word for word in command if word.startswith("-")}


def test_all_parts_of_an_installation_are_there() -> None:
    assert set(SERVICES) == {*APP_SERVICES, "postgres", "valkey"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_has_a_health_check_and_starts_again(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_has_privileges(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert name in APP_SERVICES or service["user"] not in {"root", "0"}


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_works_on_tables_that_are_not_there_yet(name: str) -> None:
    waits_for = SERVICES[name]["depends_on"]

    assert waits_for["migrate"] == {"condition": "service_completed_successfully"}
    assert waits_for["postgres"] == waits_for["valkey"] == {"condition": "service_healthy"}


def test_the_migration_runs_once() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_only_the_web_server_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"web": ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if service["networks"] != ["inside"]] == ["web"]


def test_what_must_last_lies_in_volumes() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["valkey"]["volumes"] == ["valkey:/data"]
    assert SERVICES["web"]["volumes"] == SERVICES["worker"]["volumes"] == ["spool:/var/lib/outcry/spool"]
    assert "SPOOL_DIR=/var/lib/outcry/spool" in DOCKERFILE
    assert set(COMPOSE["volumes"]) == {"postgres", "valkey", "spool"}


def test_images_are_pinned_by_version_and_digest() -> None:
    bases = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    images = [SERVICES["postgres"]["image"], SERVICES["valkey"]["image"], *bases]

    assert len(images) == 3
    assert [image for image in images if not PINNED.match(image)] == []
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON}"}


def test_every_variable_is_explained_and_every_explained_one_is_used() -> None:
    used = {name for name, _, _ in VARIABLE.findall(COMPOSE_TEXT)}

    assert used == set(env_example())


def test_secrets_have_no_default_and_defaults_are_the_ones_explained() -> None:
    given = env_example()
    required = {name for name, sign, _ in VARIABLE.findall(COMPOSE_TEXT) if sign == "?"}
    defaults = {(name, default) for name, sign, default in VARIABLE.findall(COMPOSE_TEXT) if sign == "-"}

    assert required >= SECRETS
    assert {given[name] for name in required} == {""}
    assert defaults == {(name, value) for name, value in given.items() if name not in required}


def test_every_setting_that_is_handed_on_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (ROOT / "feedback" / "settings.py").read_text() + (DOCKER / "entrypoint.sh").read_text()

    assert [name for name in SERVICES["web"]["environment"] if name not in source] == []


def test_the_image_is_built_in_stages_from_the_hashed_lock_and_runs_unprivileged() -> None:
    build, run = DOCKERFILE.split(" AS run\n")

    assert "--require-hashes" in build
    assert "requirements.lock" in build
    assert "pip" not in run
    assert "apt-get" not in DOCKERFILE
    assert re.search(r"^USER 10001:10001$", run, re.MULTILINE)
    assert run.index("USER ") > run.index("COPY ")
    assert "HEALTHCHECK" in run
    assert "STOPSIGNAL SIGTERM" in run


def test_all_that_the_image_copies_is_in_its_context() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(?:--\S+ )*(\S+) ", DOCKERFILE, re.MULTILINE))

    assert copied == allowed
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_the_entrypoint_is_a_program_that_a_plain_shell_understands() -> None:
    done = subprocess.run(["sh", "-n", str(ENTRYPOINT)], capture_output=True, text=True)

    assert done.stderr == ""
    assert os.access(ENTRYPOINT, os.X_OK)


@pytest.mark.parametrize("name", APP_SERVICES)
def test_every_service_runs_a_role_that_the_entrypoint_knows(name: str, tmp_path: Path) -> None:
    assert SERVICES[name]["command"] == [name]
    assert run_role(name, tmp_path=tmp_path)


def test_the_roles_are_started_as_make_run_starts_them(tmp_path: Path) -> None:
    pairs = [
        (programs.web_command("localhost", 8000), "web"),
        (programs.worker_command(concurrency=2), "worker"),
        (programs.beat_command(tmp_path), "beat"),
    ]

    for command, role in pairs:
        called = run_role(role, tmp_path=tmp_path).split()
        assert called[:3] == command[1:4]
        assert options(command[1:]) == options(called), role


def test_manage_hands_its_arguments_on(tmp_path: Path) -> None:
    assert run_role("manage", "drill", "--scenario", "x", tmp_path=tmp_path) == "manage.py drill --scenario x"


@pytest.mark.parametrize("arguments", [["webb"], ["health", "postgres"]])
def test_an_unknown_role_is_refused_by_its_name(arguments: list[str]) -> None:
    done = subprocess.run(["sh", str(ENTRYPOINT), *arguments], capture_output=True, text=True)

    assert done.returncode == 64
    assert arguments[-1] in done.stderr


def test_compose_itself_agrees(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        return  # neither Compose nor an engine here; the tests above have read the file
    filled_in = tmp_path / "env"
    filled_in.write_text(re.sub(r"^(\w+)=$", r"\1=x", ENV_EXAMPLE, flags=re.MULTILINE))

    done = subprocess.run(
        [docker, "compose", "--env-file", str(filled_in), "-f", str(DOCKER / "compose.yml"), "config", "--quiet"],
        capture_output=True,
        text=True,
    )

    assert done.stderr == ""
    assert done.returncode == 0
