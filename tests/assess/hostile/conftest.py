"""The hostile cases and the maker of mutants: plain modules, loaded by path as ``fuzz.py`` is a program, too."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

_HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def cases(bases: ModuleType) -> ModuleType:
    return bases.load(_HERE / "cases.py")


@pytest.fixture(scope="session")
def fuzz(bases: ModuleType) -> ModuleType:
    return bases.load(_HERE / "fuzz.py")
