"""What the tests of assessments share: the sample packages, where ``make samples`` has fetched them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample packages. Without it the test is skipped; ``.ci/run`` fetches it and allows no skip."""
    folder = Path(os.environ.get("PROSCRIBE_SAMPLES", Path(__file__).resolve().parents[2] / ".samples"))
    if not (folder / ".fetched").exists():
        pytest.skip("no sample packages here: run 'make samples'")
    return folder
