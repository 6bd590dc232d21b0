"""The kit that hostile packages are made of."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def bases() -> ModuleType:
    """Where good packages come from; loaded by path, as test folders are no packages in this import mode."""
    spec = importlib.util.spec_from_file_location("assess_builders_bases", _HERE / "bases.py")
    assert spec is not None
    assert spec.loader is not None
    found = sys.modules.setdefault("assess_builders_bases", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="session")
def cases(bases) -> ModuleType:
    return bases.load(_HERE / "cases.py")


@pytest.fixture(scope="session")
def fuzz(bases) -> ModuleType:
    return bases.load(_HERE / "fuzz.py")


@pytest.fixture(scope="session")
def kit(bases):
    return bases.kit()
