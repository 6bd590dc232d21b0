"""Cases in the store: the head, the steps, the documents they name, and what lies ready for the next ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from proscribe.canonical import Digest
from proscribe.catalogue.library import did_you_mean
from proscribe.decide import process
from proscribe.decide.file import CaseFile
from proscribe.decide.model import Attached, Case, CaseDesk, Stage, Step
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError, Where
from proscribe.prove.model import EntryKind
from proscribe.service.installation import Installation
from proscribe.service.kinds import kinds
from proscribe.store.errors import NotStored
from proscribe.text import Text


class UnknownCase(ProscribeError):
    """No case of that id."""

    code = "case.unknown"


class CaseExists(ProscribeError):
    """Another case has that id."""

    code = "case.exists"


class CaseForked(ProscribeError):
    """The case as it is here and the one brought in went different ways."""

    code = "case.forked"


def load(installation: Installation, case_id: str) -> CaseFile:
    """A case with its steps and documents. Raises UnknownCase, or CaseAltered where the store was tampered with."""
    documents = installation.stores.documents
    case = documents.latest(Case, subject=case_id)
    if case is None:
        raise UnknownCase(
            Text(f"no case {case_id!r}", f"aucun dossier «\u00a0{case_id}\u00a0»"),
            remedy=did_you_mean(
                case_id,
                tuple(one.id for one in documents.all(Case)),
                otherwise=Text("'proscribe case list' lists them.", "«\u00a0proscribe case list\u00a0» les énumère."),
            ),
            where=Where(field="case"),
        )
    steps = tuple(sorted(documents.all(Step, subject=case_id), key=lambda step: step.number))
    process.verify_chain(case, steps)
    return CaseFile(case, steps, StoredDocuments(installation, steps))


def in_force(installation: Installation, directive_id: str) -> Directive | None:
    """What the cases here published last under the id of a directive, the highest version; None where none did."""
    found: Directive | None = None
    for case in installation.stores.documents.all(Case):
        file = load(installation, case.id)
        published = [step.number for step in file.steps if step.stage is Stage.publish]
        then = CaseFile(case, file.steps[: max(published, default=0)], file.known).current("directive")
        if isinstance(then, Directive) and then.id == directive_id and (found is None or then.version > found.version):
            found = then
    return found


def desk_of(installation: Installation, case_id: str) -> tuple[Attached, ...]:
    """What lies ready for the next steps of a case."""
    desk = installation.stores.documents.latest(CaseDesk, subject=case_id)
    return desk.documents if desk else ()


def lay(installation: Installation, case_id: str, documents: tuple[Attached, ...]) -> None:
    """Say what lies ready from now on."""
    desk = CaseDesk(case_id, documents)
    installation.stores.documents.put(desk, subject=case_id, at=installation.clock.now())


def keep(installation: Installation, case_id: str, document: Document) -> Digest:
    """Store a document that is not there yet. One that is keeps its subject: a draft becomes nobody's newest."""
    found = digest(document)
    try:
        installation.stores.documents.raw(found)
    except NotStored:
        installation.stores.documents.put(document, subject=f"case:{case_id}", at=installation.clock.now())
    return found


def record(installation: Installation, file: CaseFile, step: Step, *, event: str) -> None:
    """Store a step and write it into the ledger: taken here (``step``), or ``brought_in``."""
    found = installation.stores.documents.put(step, subject=file.case.id, at=installation.clock.now())
    installation.record(
        EntryKind.case,
        file.case.id,
        event=event,
        number=step.number,
        stage=step.stage.value,
        at=step.at.isoformat(),
        by=step.by,
        digest=found,
        directive=file.case.directive,
        documents={one.name: one.digest for one in step.documents},
    )


def adopt(installation: Installation, file: CaseFile) -> None:
    """Add what a case brought in holds beyond what is known here. Raises CaseExists or CaseForked.

    The steps were judged where they were taken; ``replay`` has checked that each could be.
    """
    with installation.atomic():
        lock()
        mine = installation.stores.documents.latest(Case, subject=file.case.id)
        if mine is not None and mine != file.case:
            raise CaseExists(
                Text(f"there is another case {file.case.id}", f"il y a un autre dossier {file.case.id}"),
                remedy=Text("Compare both before you go on.", "Comparez les deux avant de poursuivre."),
            )
        known = load(installation, file.case.id).steps if mine else ()
        shared = min(len(known), len(file.steps))
        if known[:shared] != file.steps[:shared]:
            raise CaseForked(
                Text(
                    f"the two part before step {_parting(known, file.steps)}",
                    f"les deux divergent avant l'étape {_parting(known, file.steps)}",
                ),
                remedy=Text(
                    "One of them was rewritten: the ledger here says when each of these steps was taken.",
                    "L'un d'eux a été réécrit\u00a0: le registre local dit quand chacune de ces étapes fut franchie.",
                ),
                where=Where(field=file.case.id),
            )
        if mine is None:
            installation.stores.documents.put(file.case, subject=file.case.id, at=installation.clock.now())
        for step in file.steps[shared:]:
            for one in step.documents:
                keep(installation, file.case.id, file.known[one.digest])
            record(installation, file, step, event="brought_in")


def _parting(mine: tuple[Step, ...], theirs: tuple[Step, ...]) -> int:
    return next(one.number for one, other in zip(mine, theirs, strict=False) if one != other)


def fetch(installation: Installation, one: Attached) -> Document:
    """The document that is attached. Raises NotStored or StoreDamaged."""
    return installation.stores.documents.get(kinds()[one.kind], one.digest)


class StoredDocuments(Mapping[Digest, Document]):
    """The documents of a case, each read from the store when it is looked at."""

    def __init__(self, installation: Installation, steps: tuple[Step, ...]) -> None:
        self._installation = installation
        self._named = {one.digest: one for step in steps for one in step.documents}
        self._read: dict[Digest, Document] = {}

    def __getitem__(self, key: Digest) -> Document:
        if key not in self._read:
            self._read[key] = fetch(self._installation, self._named[key])
        return self._read[key]

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)


def lock() -> None:
    """One writer of cases at a time: two steps could otherwise both be the next one."""
    from proscribe.store.repository.unit import serialise

    serialise("case")
