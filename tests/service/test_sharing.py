"""Sharing from an installation: what may leave, and what a partner's bundle may and may not do here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, START, World
from trestle.oscal.assessment_results import Model as ResultsModel

from proscribe.clock import ManualClock, use_clock
from proscribe.decide.model import Case, Origin, Stage
from proscribe.directive.library import find
from proscribe.directive.model import Directive
from proscribe.documents import read, to_bytes
from proscribe.errors import UnreadableFile
from proscribe.plan.model import Plan
from proscribe.prove.model import EntryKind
from proscribe.publish.oscal.bundle import assessed_in
from proscribe.publish.stix.errors import TlpForbids
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.read import draft
from proscribe.publish.stix.read import read as read_bundle
from proscribe.service import casework, proof, sharing, trusting
from proscribe.service.casework import RoleRefused
from proscribe.service.installation import Installation, open_installation
from proscribe.service.standing import NotEnforced, orders
from proscribe.trust.envelope import prepare

TIKTOK = "ca-tbs-2023-tiktok"
OURS = "dnl-2026-lamp-chat"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Installation]:
    """An installation without any fleet, and an analyst in front of it."""
    clock = ManualClock(START)
    home = tmp_path / "home"
    home.mkdir()
    with use_clock(clock):
        yield open_installation(home, actor="analyst", clock=clock)


@pytest.fixture
def sent(desk: Installation, tmp_path: Path) -> Path:
    """What a partner sent, TLP:AMBER: a ban that this release does not ship."""
    return written(desk, tmp_path / "theirs.json", Tlp.amber)


def theirs(tmp_path: Path) -> Path:
    """A directive that is no shipped one, as a file."""
    path = tmp_path / f"{OURS}.json"
    title = replace(find(TIKTOK).title, en="Lamp Chat barred", fr="Lamp Chat écartée")
    path.write_bytes(to_bytes(replace(find(TIKTOK), id=OURS, title=title)))
    return path


def written(desk: Installation, path: Path, tlp: Tlp) -> Path:
    path.write_bytes(sharing.stix(desk, str(theirs(path.parent)), tlp=tlp, with_context=True).data)
    return path


def kinds(installation: Installation) -> list[EntryKind]:
    return [entry.entry for entry in installation.stores.ledger.entries()]


def test_a_partners_bundle_opens_a_case_and_enforces_nothing(desk: Installation, sent: Path) -> None:
    before = len(kinds(desk))
    (incoming,) = sharing.receive(desk, sent)
    assert incoming.new
    view = casework.show(desk, incoming.case)
    assert view.file.case.origin is Origin.partner
    assert view.file.case.directive == ""  # a stranger's case hangs on no directive of ours
    assert [step.stage for step in view.file.steps] == [Stage.intake]
    assert view.file.current("received") == incoming.received
    assert set(kinds(desk)[before:]) == {EntryKind.case}
    documents = desk.stores.documents
    assert not documents.digests(Directive)
    assert not documents.digests(Plan)
    assert orders(desk) == ()
    with pytest.raises(NotEnforced):
        sharing.assessed(desk, OURS)


def test_the_same_bytes_open_no_second_case(desk: Installation, sent: Path) -> None:
    (first,) = sharing.receive(desk, sent)
    size = desk.stores.ledger.size()
    (second,) = sharing.receive(desk, sent)
    assert (second.case, second.new, second.received) == (first.case, False, first.received)
    assert desk.stores.ledger.size() == size
    assert len(desk.stores.documents.digests(Case)) == 1


def test_several_bans_are_several_cases(desk: Installation, tmp_path: Path) -> None:
    parts = [json.loads(sharing.stix(desk, name, tlp=Tlp.clear).data) for name in (TIKTOK, "cz-2025-deepseek")]
    both = tmp_path / "both.json"
    both.write_text(json.dumps({**parts[0], "objects": parts[0]["objects"] + parts[1]["objects"]}), encoding="utf-8")
    found = sharing.receive(desk, both)
    assert len({one.case for one in found}) == 2
    assert {one.received.directive.id for one in found} == {TIKTOK, "cz-2025-deepseek"}
    assert {one.case for one in sharing.received(desk)} == {one.case for one in found}


def test_a_role_that_may_not_open_cases_leaves_nothing_behind(desk: Installation, sent: Path) -> None:
    operator = replace(desk, actor="operator")
    with pytest.raises(RoleRefused):
        sharing.receive(operator, sent)
    assert not desk.stores.documents.digests(Received)


def test_an_empty_language_still_opens_a_case(desk: Installation, sent: Path) -> None:
    body = json.loads(sent.read_text(encoding="utf-8"))
    for item in body["objects"]:
        for content in item.get("extensions", {}).values():
            if "directive" in content:
                content["directive"]["title"]["fr"] = ""
    sent.write_text(json.dumps(body), encoding="utf-8")
    (incoming,) = sharing.receive(desk, sent)
    assert "Lamp Chat" in casework.show(desk, incoming.case).file.case.title.fr


def test_a_missing_file_is_named(desk: Installation, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        sharing.receive(desk, tmp_path / "none.json")


def test_sharing_is_recorded_and_gives_the_same_bytes(desk: Installation) -> None:
    first = sharing.stix(desk, TIKTOK, tlp=Tlp.clear)
    assert kinds(desk)[-1] is EntryKind.notice
    assert sharing.stix(desk, TIKTOK, tlp=Tlp.clear).data == first.data
    assert not first.signed


def test_what_was_sent_wider_than_allowed_is_refused(desk: Installation, sent: Path, tmp_path: Path) -> None:
    (incoming,) = sharing.receive(desk, sent)
    made = tmp_path / "draft.json"
    made.write_bytes(to_bytes(draft(incoming.received)))
    for tlp in (Tlp.clear, Tlp.green):
        with pytest.raises(TlpForbids) as caught:
            sharing.stix(desk, str(made), tlp=tlp)
        assert "amber" in caught.value.remedy.en
    outgoing = sharing.stix(desk, str(made), tlp=Tlp.amber)
    assert any("TLP:AMBER" in warning.en for warning in outgoing.warnings)
    assert any("draft" in warning.en for warning in outgoing.warnings)
    assert any("reviewed" in warning.en for warning in outgoing.warnings)


def test_red_never_leaves_whatever_was_done_to_its_sources(desk: Installation, tmp_path: Path) -> None:
    (incoming,) = sharing.receive(desk, written(desk, tmp_path / "red.json", Tlp.red))
    made = draft(incoming.received)
    cleaned = replace(made, sources=made.sources[:-1], id="another-name", version=7)
    for number, directive in enumerate((made, cleaned)):
        path = tmp_path / f"draft-{number}.json"
        path.write_bytes(to_bytes(directive))
        for tlp in Tlp:
            with pytest.raises(TlpForbids):
                sharing.stix(desk, str(path), tlp=tlp)


def test_a_stranger_cannot_keep_us_from_sharing_what_ships(desk: Installation, tmp_path: Path) -> None:
    path = tmp_path / "red.json"
    path.write_bytes(sharing.stix(desk, TIKTOK, tlp=Tlp.red, with_context=True).data)
    sharing.receive(desk, path)
    assert sharing.stix(desk, TIKTOK, tlp=Tlp.clear).tlp is Tlp.clear


def test_the_signed_form_goes_out_with_the_context_that_it_holds(desk: Installation, tmp_path: Path) -> None:
    directive = read(Directive, theirs(tmp_path))
    assert directive.analyst_context
    signed = prepare(directive, by="cio", at=START)
    desk.stores.documents.put(signed, subject=signed.of, at=START)
    path = str(tmp_path / f"{OURS}.json")
    bare = sharing.stix(desk, path, tlp=Tlp.green)
    assert not bare.signed
    assert any("--with-context" in warning.en for warning in bare.warnings)
    whole = sharing.stix(desk, path, tlp=Tlp.green, with_context=True)
    assert whole.signed
    (received,) = read_bundle(whole.data)
    assert received.envelope is not None
    assert received.envelope.fits
    assert received.envelope.signed == signed
    assert trusting.key_list(desk) is None


def test_what_is_enforced_here_is_shared_as_it_was_decided(world: World) -> None:
    world.apply()
    outgoing = sharing.stix(world.open("analyst"), DIRECTIVE, tlp=Tlp.clear)
    (received,) = read_bundle(outgoing.data)
    assert received.targets is not None
    assert received.targets.reviewed_by == "security officer"
    assert outgoing.warnings


def test_oscal_of_the_store_agrees_with_oscal_of_the_proof(world: World, tmp_path: Path) -> None:
    world.apply()
    world.settle()
    here = sharing.assessed(world.open(), DIRECTIVE)
    bundle = tmp_path / "proof.zip"
    proof.export_proof(world.home, DIRECTIVE, bundle)
    there = assessed_in(bundle)
    assert (here.counts, here.not_seen, here.exemptions) == (there.counts, there.not_seen, there.exemptions)
    assert (here.directive_digest, here.targets_digest) == (there.directive_digest, there.targets_digest)
    made = sharing.oscal(here, language="en")
    assert made == sharing.oscal(sharing.assessed(world.open(), DIRECTIVE), language="en")
    ResultsModel.model_validate(json.loads(made[sharing.RESULTS]))
    assert sharing.oscal(bundle, language="fr") == sharing.oscal(bundle, language="fr")


def test_oscal_of_a_red_directive_is_refused(world: World) -> None:
    world.apply()
    here = sharing.assessed(world.open(), DIRECTIVE)
    (received,) = read_bundle(sharing.stix(world.open("analyst"), DIRECTIVE, tlp=Tlp.red).data)
    red = replace(here, directive=draft(received))
    with pytest.raises(TlpForbids):
        sharing.oscal(red, language="en")
