"""What the fixtures start is what they say: the pinned versions, on each back end, answering as the facts say."""

from __future__ import annotations

import importlib.util
import plistlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from tests.connectors.nanomdm.servers import NanoMdm, Servers, program

pytestmark = pytest.mark.servers

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def pins() -> ModuleType:
    """The tool that builds the servers."""
    spec = importlib.util.spec_from_file_location("fetch_servers", _ROOT / "tools" / "fetch_servers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["fetch_servers"] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["nanomdm", "kmfddm"])
def test_the_program_was_built_from_the_pinned_module(name: str, pins: ModuleType) -> None:
    """Go writes the module, its version and the hash of its files into what it builds: not our word, the linker's."""
    pinned = next(server for server in pins.SERVERS if server.name == name)
    found = re.search(rb"mod\t(\S+)\t(\S+)\t(h1:\S+)\n", program(name).read_bytes())
    assert found is not None
    assert [part.decode() for part in found.groups()] == [pinned.module, pinned.version, pinned.digest]


def test_both_run_and_say_their_version(real_servers: Servers, pins: ModuleType) -> None:
    versions = {server.name: server.version for server in pins.SERVERS}
    assert real_servers.kmfddm().version() == versions["kmfddm"]
    assert real_servers.nanomdm().version() == versions["nanomdm"]


@pytest.fixture(params=["filekv", pytest.param("pgsql", marks=pytest.mark.postgres)])
def nanomdm(request: pytest.FixtureRequest, real_servers: Servers, nanomdm_database: Callable[[], str]) -> NanoMdm:
    return real_servers.nanomdm(database=nanomdm_database() if request.param == "pgsql" else "")


def _enqueue(server: NanoMdm, device: str, command: str, *, key: str = "", nopush: bool = True) -> httpx.Response:
    body = plistlib.dumps({"CommandUUID": command, "Command": {"RequestType": "ProfileList"}})
    return httpx.put(
        f"{server.endpoint}/v1/enqueue/{device}{'?nopush=1' if nopush else ''}",
        content=body,
        auth=("nanomdm", key or server.api_key),
    )


def test_the_key_is_asked_for(nanomdm: NanoMdm) -> None:
    assert _enqueue(nanomdm, "D", str(uuid.uuid4()), key="wrong").status_code == 401


def test_an_unknown_device_is_refused_by_the_database_alone(nanomdm: NanoMdm) -> None:
    answer = _enqueue(nanomdm, "D", str(uuid.uuid4()))
    if "pgsql" in str(nanomdm.process.args):
        assert answer.status_code == 500
        assert "foreign key" in answer.json()["command_error"]
    else:
        assert answer.status_code == 200


def test_without_a_push_certificate_a_failure_has_queued(real_servers: Servers) -> None:
    """mdm.md 2.4: HTTP 500 although the command is queued; the same UUID again is refused because it is there."""
    server, command = real_servers.nanomdm(), str(uuid.uuid4())
    first = _enqueue(server, "D", command, nopush=False)
    assert first.status_code == 500
    assert "command_error" not in first.json()
    assert _enqueue(server, "D", command).json()["command_error"] == f"command already exists: {command}"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROSCRIBE_TEST_SERVERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"kmfddm is missing.*Go"):
        program("kmfddm")


def test_unchecked_modules_are_refused(pins: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    program("nanomdm")
    said = {"GOSUMDB": "off\n", "GONOSUMDB": "\n", "GOPRIVATE": "github.com/*\n"}
    monkeypatch.setattr(pins, "go", lambda *words: said[words[1]])
    with pytest.raises(pins.CannotHave, match="GOSUMDB, GOPRIVATE"):
        pins.refuse_unchecked()


def test_a_machine_without_go_is_told_so(pins: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pins.CannotHave, match="Go is not on this machine"):
        pins.refuse_unchecked()
