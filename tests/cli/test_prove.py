"""``proscribe prove``: what a person and a script see of it."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from proscribe.canonical import canonical_bytes, digest_bytes
from proscribe.cli.root import root
from proscribe.prove import verify as checking
from proscribe.prove.container import Writer
from proscribe.prove.model import Check, CheckState, TreeHead, VerifyResult
from proscribe.text import Text, set_language

HEAD = TreeHead(3, "ab" * 32)


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    yield
    set_language(None)


def call(*words: str) -> Result:
    return CliRunner().invoke(root, list(words), prog_name="proscribe")


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that verifies, whatever is in it: the checks themselves are tested in tests/prove."""
    path = tmp_path / "proof.zip"
    path.write_bytes(b"x")
    result = VerifyResult(
        file=path.name,
        checks=(
            Check("container", CheckState.passed, "container", Text("whole", "intact")),
            Check("plans", CheckState.limited, "plans/plan-0001.json", Text("in part", "en partie")),
        ),
        directive="d",
        tree_head=HEAD,
    )
    monkeypatch.setattr(checking, "verify", lambda _path, *, earlier=None, key_list=None: result)
    return path


def test_a_proof_that_holds(sound: Path) -> None:
    result = call("prove", "verify", str(sound))
    assert result.exit_code == 0
    assert "passed   the file: whole" in result.output
    assert "limited  plans/plan-0001.json: in part" in result.output
    assert f"Tree head: 3:{HEAD.root}" in result.output


def test_the_same_in_french(sound: Path) -> None:
    result = call("--lang", "fr", "prove", "verify", str(sound))
    assert "réussi  le fichier\u00a0: intact" in result.output
    assert "est valable" in result.output


def test_the_same_as_json(sound: Path) -> None:
    said = json.loads(call("prove", "verify", str(sound), "--json").output)
    assert said["kind"] == "proscribe.verification"
    assert [check["state"] for check in said["checks"]] == ["passed", "limited"]


def test_a_damaged_file_exits_1_and_names_the_member(tmp_path: Path) -> None:
    path = tmp_path / "proof.zip"
    data = canonical_bytes({"kind": "proscribe.proof"})
    with path.open("w+b") as stream:
        writer = Writer(stream)
        writer.add("manifest.json", [data])
        writer.finish(f"proscribe.proof manifest {digest_bytes(data)}")
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(zlib.compress(data)[2:6])] ^= 1
    path.write_bytes(bytes(damaged))
    result = call("prove", "verify", str(path))
    assert result.exit_code == 1
    assert "FAILED   manifest.json: its bytes were changed" in result.output
    assert "proof.zip does not hold. Checks failed: 1." in result.output
    assert call("prove", "verify", str(path), "--json").exit_code == 1


def test_a_missing_file_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from proscribe.cli import main; main()", "prove", "verify", str(tmp_path / "no.zip")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "file.unreadable" in done.stderr
    assert "→" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("head", ["", "3", "3:xyz", "-1:" + "a" * 64, "3:" + "g" * 64])
def test_a_tree_head_that_is_none_is_refused(sound: Path, head: str) -> None:
    result = call("prove", "verify", str(sound), "--head", head)
    assert result.exit_code == 2
    assert "SIZE:ROOT" in result.output


def test_an_earlier_tree_head_and_a_key_list_are_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[object] = []

    def check(path: Path, *, earlier: TreeHead | None = None, key_list: str | None = None) -> VerifyResult:
        seen.extend((earlier, key_list))
        return VerifyResult(file=path.name, checks=())

    monkeypatch.setattr(checking, "verify", check)
    call("prove", "verify", str(tmp_path / "proof.zip"), "--head", "3:" + "AB" * 32, "--key-list", "CD" * 32)
    assert seen == [HEAD, "sha256:" + "cd" * 32]


def test_a_digest_of_a_key_list_that_is_none_is_refused(sound: Path) -> None:
    result = call("prove", "verify", str(sound), "--key-list", "sha256:12")
    assert result.exit_code == 2
    assert "64 hexadecimal digits" in result.output


def test_verify_needs_no_database_and_no_django() -> None:
    code = (
        "import sys; import proscribe.cli.prove; import proscribe.prove.verify;"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('django', 'duckdb', 'pyarrow', 'httpx')))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_export_hands_over_to_the_service_and_shows_the_tree_head(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Path | None, str, Path]] = []

    def export_proof(home: Path | None, directive: str, out: Path, *, small_cell_floor: int) -> SimpleNamespace:
        asked.append((home, directive, out))
        return SimpleNamespace(tree_head=HEAD)

    service = ModuleType("proscribe.service.proof")
    service.export_proof = export_proof  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "proscribe.service.proof", service)
    out = tmp_path / "proof.zip"
    result = call("prove", "export", "dnl-2026-chat", "--out", str(out), "--home", str(tmp_path))
    assert result.exit_code == 0
    assert asked == [(tmp_path, "dnl-2026-chat", out)]
    assert f"3:{HEAD.root}" in result.output
