"""Several workers in one process: each with a memory of its own, and connections of its own where it runs at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence

from django.db import connection

from reports.clustering.arrays import ServiceClusters


class Memories(MutableMapping[int, ServiceClusters]):
    """Stands in for `arrays._remembered`: what is remembered is remembered by the worker at work alone."""

    def __init__(self) -> None:
        self._at_work = threading.local()
        self._of: dict[str, dict[int, ServiceClusters]] = {}

    def hand_over(self, worker: str) -> None:
        """From now on that worker is at work on this thread."""
        self._at_work.name = worker

    def _own(self) -> dict[int, ServiceClusters]:
        # A thread that was told nothing is a worker of its own.
        return self._of.setdefault(getattr(self._at_work, "name", str(threading.get_ident())), {})

    def __getitem__(self, service_id: int) -> ServiceClusters:
        return self._own()[service_id]

    def __setitem__(self, service_id: int, clusters: ServiceClusters) -> None:
        self._own()[service_id] = clusters

    def __delitem__(self, service_id: int) -> None:
        del self._own()[service_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._own())

    def __len__(self) -> int:
        return len(self._own())


def at_once(acts: Sequence[Callable[[], object]]) -> None:
    """Do several things at once, each on a thread and a connection of its own; raise what the first of them raised."""
    start = threading.Barrier(len(acts))
    failures: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        raise failure
