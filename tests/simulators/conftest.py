from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators.wire import Client, Simulator


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One host of all systems for a module's tests, each of which uses names of its own."""
    with Simulator(tmp_path_factory.mktemp("state")) as simulator:
        yield simulator.connect()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A host of all systems that nobody has used yet."""
    with Simulator(tmp_path / "state") as simulator:
        yield simulator.connect()
