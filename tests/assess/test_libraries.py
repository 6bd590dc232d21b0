"""What a library says of itself is what its metadata say."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from proscribe.assess.libraries import version_of


@pytest.mark.parametrize("package", ["proscribe", "apk-info", "cryptography", "numpy", "lief"])
def test_the_version_is_the_one_that_was_installed(package: str) -> None:
    assert version_of(package) == version(package)
