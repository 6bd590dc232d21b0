"""What the tests of assessments share: the sample packages, where ``make samples`` has fetched them, and built ones."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.engine import assess_here

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample packages. Without it the test is skipped; ``.ci/run`` fetches it and allows no skip."""
    folder = Path(os.environ.get("PROSCRIBE_SAMPLES", HERE.parents[1] / ".samples"))
    if not (folder / ".fetched").exists():
        pytest.skip("no sample packages here: run 'make samples'")
    return folder


@pytest.fixture(scope="session")
def bases() -> ModuleType:
    """Where good packages come from."""
    from tests.assess.hostile import bases

    return bases


@pytest.fixture(scope="session")
def kit(bases: ModuleType) -> Any:
    """The builders, and the members of a good package."""
    return bases.kit()


@pytest.fixture(scope="session")
def built(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good package, built here: forty classes that call what the packs watch."""
    file = tmp_path_factory.mktemp("built") / "good.apk"
    file.write_bytes(kit.package())
    return file


@pytest.fixture(scope="session")
def built_report(built: Path) -> bytes:
    """The assessment of the built package."""
    return assess_here(built)
