"""What only this installation knows that speaks against a step: the clock, other cases, what was made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from proscribe.decide import process
from proscribe.decide.file import CaseFile, done, past
from proscribe.decide.missing import Missing, flaw
from proscribe.decide.model import Case, Stage, Track
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.service import casestore
from proscribe.service.installation import Installation
from proscribe.text import Text

LATE = timedelta(days=1)
"""A step that is recorded later than that says why."""


def dated_back(file: CaseFile, stage: Stage, at: datetime, now: datetime, note: Text | None) -> dict[str, Missing]:
    """That an interim decision has ended, which no earlier date helps over; and that a late step says why."""
    found = {one.name: one for one in process.lapsed(file, stage, now)}
    if now - at > LATE and note is None and stage is not Stage.intake:
        late = flaw(
            "step.note",
            (
                f"it is dated {at.date()} and recorded on {now.date()}, and nothing says why",
                f"elle est datée du {at.date()} et consignée le {now.date()}, et rien ne dit pourquoi",
            ),
            ("Say it with --note, in both languages.", "Dites-le avec --note, dans les deux langues."),
        )
        found[late.name] = late
    return found


def typed_signature(name: str) -> Missing:
    """A verification that somebody attached, and that is not the one on record here."""
    return flaw(
        name,
        (
            "it was attached by hand and is not on record here",
            "elle a été jointe à la main et n'est pas consignée ici",
        ),
        (
            "Record them with 'proscribe verify FILE --record', and withdraw this file.",
            "Consignez-les avec «\u00a0proscribe verify FICHIER --record\u00a0», et retirez ce fichier.",
        ),
    )


def typed_notices(installation: Installation, case: Case, ready: Mapping[str, Document]) -> dict[str, Missing]:
    """Notices among what lies ready that were not written here out of the decision: they may say anything."""
    from proscribe.publish.notices.model import Notice

    notices = {name: one for name, one in ready.items() if isinstance(one, Notice) and name.startswith("notice.")}
    if not notices:
        return {}
    written = installation.stores.documents.digests(Notice, subject=case.id)
    return {
        name: flaw(
            name,
            (
                "it was not written here out of the decision, and may say more",
                "il n'a pas été établi ici à partir de la décision, et pourrait en dire plus",
            ),
            (
                f"Write it with 'proscribe notice {case.id}'.",
                f"Établissez-le avec «\u00a0proscribe notice {case.id}\u00a0».",
            ),
        )
        for name, one in notices.items()
        if digest(one) not in written
    }


def beside_others(
    installation: Installation, file: CaseFile, stage: Stage, ready: Mapping[str, Document]
) -> dict[str, Missing]:
    """What other cases about the same directive say against a decision in this one."""
    if stage is not Stage.decide:
        return {}
    own = ready.get("directive") or file.current("directive")
    if not isinstance(own, Directive):
        return {}
    found: dict[str, Missing] = {}
    for case in installation.stores.documents.all(Case):
        other = casestore.load(installation, case.id)
        held = other.current("directive")
        if case.id == file.case.id or not isinstance(held, Directive) or held.id != own.id:
            continue
        for one in (*_interim_again(file, other), *_no_newer(own, other, held)):
            found[one.name] = one
    return found


def _interim_again(file: CaseFile, other: CaseFile) -> Iterable[Missing]:
    """An interim decision ends unless confirmed; another one in its place would be the first one going on."""
    both = file.case.track is other.case.track is Track.interim
    taken = {step.stage for step in other.steps}
    if both and Stage.decide in taken and not taken & {Stage.confirm, Stage.revoke}:
        name = other.case.id
        yield flaw(
            "case.track",
            (
                f"case {name} took an interim decision on this directive, and nothing confirmed it",
                f"le dossier {name} a donné lieu à une décision provisoire sur cette directive, non confirmée",
            ),
            (
                f"Confirm {name} in time, or open this case on the standard track.",
                f"Confirmez {name} à temps, ou ouvrez ce dossier sur la voie ordinaire.",
            ),
        )


def _no_newer(own: Directive, other: CaseFile, held: Directive) -> Iterable[Missing]:
    """What another case put in force is changed by a higher version, or in that case."""
    if Stage.publish in done(other.steps) and not past(other.steps) and held != own and own.version <= held.version:
        yield flaw(
            "directive.version",
            (
                f"version {held.version} is in force under case {other.case.id}",
                f"la version {held.version} est en vigueur au titre du dossier {other.case.id}",
            ),
            (
                "Amend it in that case, or raise the version.",
                "Modifiez-la dans ce dossier-là, ou augmentez la version.",
            ),
        )
