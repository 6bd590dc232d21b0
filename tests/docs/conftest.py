"""The documentation as text, and everything it must mention."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def reference():
    """A reference page by its name, without its suffix."""

    def read(name: str) -> str:
        return (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")

    return read


@pytest.fixture(scope="session")
def rows():
    """The first cells of a page's tables, without backticks."""

    def read(text: str) -> set[str]:
        return {match.strip("` ") for match in re.findall(r"^\| *([^|]+?) *\|", text, flags=re.MULTILINE)}

    return read
