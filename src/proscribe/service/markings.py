"""How far what a partner sent may travel: its TLP marking goes with whatever is made from it, in every form."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.decide.file import CaseFile
from proscribe.decide.model import Case
from proscribe.directive import library
from proscribe.directive.model import Directive
from proscribe.errors import Where
from proscribe.publish.notices.model import Audience
from proscribe.publish.stix.errors import TlpForbids
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.read import marking_of
from proscribe.service import casestore
from proscribe.service.installation import Installation
from proscribe.text import Text

READERS: dict[Audience, Tlp] = {
    Audience.public: Tlp.clear,
    Audience.vendor: Tlp.clear,
    Audience.departments: Tlp.amber,
    Audience.staff: Tlp.amber_strict,
}
"""The strictest marking that each audience may still read (FIRST, TLP 2.0: amber reaches one's organisation and its
clients, amber+strict the organisation alone, green no public channel)."""


def floor(installation: Installation, directive: Directive) -> Tlp | None:
    """The strictest marking under which parts of a directive came here; None where none did.

    Its sources say so; where those were changed, what came in does, and the case in which it was made from that.
    """
    found = [marking_of(directive)]
    if directive not in library.shipped():  # a stranger who sends what is public, marked, does not make it less so
        documents = installation.stores.documents
        found += [one.tlp for one in documents.all(Received) if _alike(directive, one.directive)]
        for case in documents.all(Case):
            if case.received is not None:
                file = casestore.load(installation, case.id)
                if getattr(file.current("directive"), "id", "") == directive.id:
                    found.append(of_case(file))
    return _strictest(found)


def of_case(file: CaseFile) -> Tlp | None:
    """The marking of what a partner sent and a case was opened with; None where nothing was."""
    received = file.current("received")
    return received.tlp if isinstance(received, Received) else None


def refuse_audiences(directive: str, marking: Tlp | None, audiences: Iterable[Audience]) -> None:
    """Raises TlpForbids where a notice would carry what came in to people whom its marking does not allow."""
    for audience in audiences:
        if marking is not None and READERS[audience].at_least(marking) is not READERS[audience]:
            raise _forbidden(directive, marking, Text(f"no notice to: {audience}", f"aucun avis à\u00a0: {audience}"))


def refuse_public_record(file: CaseFile) -> None:
    """Raises TlpForbids where the public record of a case would tell what a partner marked."""
    marking = of_case(file)
    if marking not in (None, Tlp.clear):
        raise _forbidden(file.case.id, marking, Text("no public record", "aucun compte rendu public"))


def red(directive: str) -> TlpForbids:
    """The refusal of whatever rests on TLP:RED."""
    return _forbidden(directive, Tlp.red, Text("it goes no further", "il ne va pas plus loin"))


def _forbidden(about: str, marking: Tlp | None, what: Text) -> TlpForbids:
    label = "TLP" if marking is None else marking.label
    return TlpForbids(
        Text(
            f"{about} rests on what a partner sent as {label}",
            f"{about} repose sur un envoi d'un partenaire marqué {label}",
        )
        + Text(f": {what.en}", f"\u00a0: {what.fr}"),
        remedy=Text("Ask the partner for a wider marking.", "Demandez au partenaire un marquage plus large."),
        where=Where(field="tlp"),
    )


def _alike(directive: Directive, sent: Directive) -> bool:
    return (sent.title, sent.items, sent.stated_reasons) == (
        directive.title,
        directive.items,
        directive.stated_reasons,
    )


def _strictest(markings: Iterable[Tlp | None]) -> Tlp | None:
    strictest: Tlp | None = None
    for one in markings:
        if one is not None:
            strictest = one if strictest is None else strictest.at_least(one)
    return strictest
