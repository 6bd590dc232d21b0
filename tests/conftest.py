"""Every test starts in English, whatever the machine's locale and whatever language a test before it chose.

And no property fails because the machine is busy. Tests about keys on tokens have a real software token each.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from proscribe.text import set_language

# How long an example takes depends on what else the machine does; the tests that limit time measure processor time.
settings.register_profile("proscribe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("proscribe")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PROSCRIBE_LANG", "en")
    set_language(None)
    yield
    set_language(None)


SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "493817"


@dataclass(frozen=True)
class Token:
    """A software token: how it is named, and its PIN."""

    label: str
    pin: str
    module: Path

    def uri(self, name: str, more: str = "") -> str:
        return f"pkcs11:token={self.label.replace(' ', '%20')};object={name}{more}?module-path={self.module}"

    def ask(self) -> bytes:
        return self.pin.encode()


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """A new SoftHSM token in the test's own folder."""
    if not SOFTHSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed")
    import pkcs11

    folder = tmp_path / "tokens"
    folder.mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n", encoding="utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    init = ["softhsm2-util", "--init-token", "--free", "--label", "Signing desk", "--pin", PIN, "--so-pin", "99887766"]
    subprocess.run(init, check=True, capture_output=True)
    library = pkcs11.lib(str(SOFTHSM))  # a library that was open for another test has that test's tokens
    library.reinitialize()
    yield Token("Signing desk", PIN, SOFTHSM)
    library.finalize()
