"""``proscribe share`` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from tests.prove.conftest import make_inputs

from proscribe.cli.root import root
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Directive, State
from proscribe.documents import json_schema, read
from proscribe.errors import ProscribeError
from proscribe.prove.bundle import export
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.write import Shared, bundle_bytes
from proscribe.service import sharing
from proscribe.text import set_language
from proscribe.trust.envelope import envelope_bytes, prepare, read_envelope

TIKTOK = "ca-tbs-2023-tiktok"
Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    yield
    set_language(None)


@pytest.fixture
def call(tmp_path: Path) -> Call:
    def invoke(*words: str) -> Result:
        env = {"PROSCRIBE_HOME": str(tmp_path / "home"), "COLUMNS": "80"}
        return CliRunner().invoke(root, list(words), prog_name="proscribe", env=env)

    return invoke


@pytest.fixture
def sent(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "out" / "tiktok.json"
    result = call("--lang", "en", "share", "stix", TIKTOK, "--tlp", "amber", "--out", str(path))
    assert result.exit_code == 0, result.output
    assert f"{TIKTOK} written to {path}, TLP:AMBER. No signed form is attached." in result.stdout
    assert "give it only to those whom the marking allows" in result.stderr
    assert "--with-context sends both" in result.stderr
    return path


def test_no_file_is_replaced(call: Call, sent: Path) -> None:
    before = sent.read_bytes()
    result = call("share", "stix", TIKTOK, "--tlp", "clear", "--out", str(sent))
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == "share.not-written"
    assert sent.read_bytes() == before


def test_a_bundle_received(call: Call, sent: Path, tmp_path: Path) -> None:
    words = ("share", "receive", str(sent), "--as", "analyst")
    result = call("--lang", "en", *words, "--draft-to", str(tmp_path / "drafts"))
    assert result.exit_code == 0, result.output
    assert "Sender, as it calls itself: Treasury Board of Canada Secretariat" in result.output
    assert "Marking: TLP:AMBER" in result.output
    assert "a name is not an identifier" in result.output
    assert "Nothing was adopted or enforced." in result.output
    (draft,) = (tmp_path / "drafts").iterdir()
    assert read(Directive, draft).state is State.draft
    assert "was open already" in call("--lang", "en", *words).output
    french = call("--lang", "fr", *words).output
    assert "Rien n'a été adopté ni appliqué." in french
    assert "Marquage\u00a0: TLP:AMBER" in french
    listed = call("--lang", "en", "share", "list").output
    assert "TLP:AMBER" in listed
    assert max(len(line) for line in listed.splitlines()) <= 80


def test_for_programs(call: Call, sent: Path) -> None:
    (one,) = json.loads(call("share", "receive", str(sent), "--as", "analyst", "--json").stdout)
    jsonschema.validate(one["received"], json_schema(Received))
    assert one["new"] is True
    (listed,) = json.loads(call("share", "list", "--json").stdout)
    assert listed == {"case": one["case"], "received": one["received"]}


def test_what_is_left_aside_is_shown(call: Call, sent: Path) -> None:
    body = json.loads(sent.read_text(encoding="utf-8"))
    body["x_more"] = 1
    body["objects"].append({"type": "malware", "id": "malware--00000000-0000-4000-8000-000000000001"})
    sent.write_text(json.dumps(body), encoding="utf-8")
    output = call("--lang", "en", "share", "receive", str(sent), "--as", "analyst").output
    assert "Left aside: object:malware, 1" in output
    assert "Left aside: property:bundle.x_more, 1" in output


def test_a_title_cannot_write_lines_of_its_own(call: Call, sent: Path) -> None:
    body = sent.read_text(encoding="utf-8").replace(
        "TikTok barred from Government of Canada mobile devices", "TikTok\\n  Marking: TLP:CLEAR"
    )
    sent.write_text(body, encoding="utf-8")
    result = call("--lang", "en", "share", "receive", str(sent), "--as", "analyst")
    lines = [line for line in result.output.splitlines() if line.startswith("  Marking")]
    assert lines == ["  Marking: TLP:AMBER"]
    assert "Ban: TikTok Marking: TLP:CLEAR" in " ".join(result.output.split())


def test_oscal_of_a_proof(call: Call, tmp_path: Path) -> None:
    bundle, folder = tmp_path / "proof.zip", tmp_path / "oscal"
    export(make_inputs(), bundle)
    result = call("--lang", "en", "share", "oscal", "--proof", str(bundle), "--to", str(folder))
    assert result.exit_code == 0, result.output
    assert {path.name for path in folder.iterdir()} == {"assessment-results.json", "plan-of-action.json"}
    assert "plan of action to write" not in result.output
    assert not (tmp_path / "home").exists()  # a proof needs no installation


@pytest.mark.parametrize("words", [(), (TIKTOK, "--proof", "x.zip")])
def test_oscal_of_one_thing(call: Call, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = call("--lang", "en", "share", "oscal", *words, "--to", str(tmp_path))
    assert result.exit_code == 2
    assert "not both" in result.output


def test_nothing_enforced_is_an_error_with_a_next_step(call: Call, tmp_path: Path) -> None:
    result = call("share", "oscal", TIKTOK, "--to", str(tmp_path / "o"))
    assert isinstance(result.exception, ProscribeError)
    assert result.exception.code == "service.not-enforced"


@pytest.mark.parametrize("fits", [True, False])
def test_the_signed_form_is_written_beside_the_draft(call: Call, tmp_path: Path, fits: bool) -> None:
    directive = find(TIKTOK)
    signed = prepare(
        directive if fits else replace(directive, version=2), by="cio", at=datetime(2026, 11, 2, tzinfo=UTC)
    )
    targets = target_set(directive, now=datetime(2026, 11, 2, tzinfo=UTC))
    path = tmp_path / "signed.json"
    path.write_bytes(bundle_bytes(Shared(directive, targets, Tlp.clear, envelope_bytes(signed))))
    drafts = tmp_path / "drafts"
    result = call("--lang", "en", "share", "receive", str(path), "--as", "analyst", "--draft-to", str(drafts))
    assert ("not checked: see 'proscribe verify'" in result.output) is fits
    assert ("of another document than this ban" in result.output) is not fits
    (envelope,) = drafts.glob("*.dsse.json")
    assert read_envelope(envelope) == signed


def test_a_proof_without_anything_left_to_do(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "plan_of_action", lambda _assessed, _language: None)
    bundle = tmp_path / "proof.zip"
    export(make_inputs(), bundle)
    result = call("--lang", "en", "share", "oscal", "--proof", str(bundle), "--to", str(tmp_path / "o"))
    assert "there is no plan of action to write" in result.output
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["assessment-results.json"]
