"""What a partner marked stays marked: in notices, in the public record, and in every later wording of the ban."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.decide.conftest import DIRECTIVE, Story, a_case, contested, directive, said
from tests.service.test_casework import Office

from proscribe.clock import use_clock
from proscribe.decide.file import CaseFile
from proscribe.decide.model import Origin, Stage
from proscribe.directive.model import Directive
from proscribe.documents import digest, to_bytes
from proscribe.publish.notices.model import Audience, NoticeIncomplete
from proscribe.publish.stix.errors import TlpForbids
from proscribe.publish.stix.model import Tlp
from proscribe.publish.stix.read import read as read_bundle
from proscribe.service import casestore, casework, markings, publishing, sharing

OFFICE = '[notices]\noffice = { en = "Mobile team", fr = "Équipe mobile" }\nemail = "mobile@example.org"\n'


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = Office(tmp_path / "home")
    found.home.mkdir()
    (found.home / "proscribe.toml").write_text(OFFICE, encoding="utf-8")
    with use_clock(found.clock):
        yield found


def ours(received: Directive) -> Directive:
    """Our own wording, with no word of what came in and none of its sources."""
    return replace(
        directive(), title=said("Lamp chat"), stated_reasons=(said("It glows"),), sources=received.sources[:1]
    )


def adopting(office: Office, folder: Path, tlp: Tlp) -> Directive:
    """A case opened with what a partner sent, up to targets of a directive that shares no word with it."""
    path = folder / "theirs.json"
    path.write_bytes(to_bytes(directive()))
    data = sharing.stix(office.open(), str(path), tlp=tlp).data
    (received,) = read_bundle(data)
    case = a_case(origin=Origin.partner, received=digest(received), directive="")
    casework.open_case(office.open(), case, {"received": received})
    office.take(Stage.assess)
    made = ours(received.directive)
    story = Story(CaseFile(case), office.clock.now())
    office.take(Stage.targets, directive=made, targets=story._targets({"directive": made}))
    (folder / "ours.json").write_bytes(to_bytes(made))
    return made


@pytest.mark.parametrize("tlp", Tlp)
def test_a_directive_made_in_the_case_of_a_marked_bundle_is_marked_however_it_is_worded(
    office: Office, tmp_path: Path, tlp: Tlp
) -> None:
    made = adopting(office, tmp_path, tlp)
    assert markings.floor(office.open(), made) is tlp
    wider = [one for one in Tlp if one.at_least(tlp) is not one or tlp is Tlp.red]
    for one in wider:
        with pytest.raises(TlpForbids):
            sharing.stix(office.open(), str(tmp_path / "ours.json"), tlp=one)


@pytest.mark.parametrize(
    ("tlp", "allowed"),
    [
        (Tlp.clear, {"public", "staff", "departments", "vendor"}),
        (Tlp.green, {"departments", "staff"}),
        (Tlp.amber, {"departments", "staff"}),
        (Tlp.amber_strict, {"staff"}),
        (Tlp.red, set()),
    ],
)
def test_a_notice_reaches_nobody_beyond_the_marking(
    office: Office, tmp_path: Path, tlp: Tlp, allowed: set[str]
) -> None:
    office_case = adopting(office, tmp_path, tlp)
    office.until(Stage.impact, Stage.reviews, Stage.decide)
    reached = set()
    for audience in Audience:
        try:
            publishing.notices(office.open(), "c-1", audiences=(audience,))
        except TlpForbids:
            continue
        except NoticeIncomplete:  # what it lacks otherwise is another matter
            pass
        reached.add(audience.value)
    assert reached == allowed
    assert office_case.id == DIRECTIVE


def test_the_public_record_of_a_marked_case_is_refused(office: Office, tmp_path: Path) -> None:
    adopting(office, tmp_path, Tlp.green)
    with pytest.raises(TlpForbids, match="no public record"):
        markings.refuse_public_record(office.file)
    office.begin(a_case(id="c-2"))
    markings.refuse_public_record(casestore.load(office.open(), "c-2"))


def test_evidence_that_came_after_the_decision_is_in_no_notice(office: Office) -> None:
    office.begin()
    office.until(Stage.assess, Stage.targets, Stage.impact, Stage.vendor, Stage.reviews, Stage.decide)
    before = publishing._dossier(office.open(), "c-1").evidence
    casework.attach(office.open(), "c-1", "evidence", contested())
    assert publishing._dossier(office.open(), "c-1").evidence == before != contested()
