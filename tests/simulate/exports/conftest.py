"""One fictional department, small enough for a test."""

from datetime import UTC, datetime

import pytest

from proscribe.simulate.exports import ground_truth, write_exports

MOMENT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIZE = {"seed": 20260302, "devices": 900, "moment": MOMENT}


@pytest.fixture(scope="session")
def moment():
    return MOMENT


@pytest.fixture(scope="session", params=["before", "after", "later"])
def phase(request):
    return request.param


@pytest.fixture(scope="session")
def written(phase, tmp_path_factory):
    return write_exports(tmp_path_factory.mktemp(f"exports-{phase}"), phase=phase, **SIZE)


@pytest.fixture(scope="session")
def truth(phase):
    return ground_truth(phase=phase, **SIZE)


@pytest.fixture(scope="session")
def truth_of():
    return lambda phase: ground_truth(phase=phase, **SIZE)


@pytest.fixture(scope="session")
def write():
    return lambda folder, **changes: write_exports(folder, **{**SIZE, "phase": "before", **changes})
