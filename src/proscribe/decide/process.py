"""The life of a case as a state machine: which stage may come next, what it lacks, and the step that is taken.

``needs`` says in tables what each stage rests on and what comes before it, ``content`` what must be right inside the
documents. A step names its documents by digest and the step before it, so that a case is a chain from its head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from proscribe.decide import content, needs
from proscribe.decide.file import CaseFile, Taking, attached, done, past, sealed
from proscribe.decide.missing import Missing, flaw, written
from proscribe.decide.model import Attached, Case, Stage, Step, Track
from proscribe.decide.words import STAGES
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError, Where
from proscribe.text import COLON, Text, plural

__all__ = [
    "CaseAltered",
    "CaseFile",
    "StepRefused",
    "Taking",
    "advance",
    "attached",
    "expired",
    "lapsed",
    "missing",
    "next_stages",
    "replay",
    "stage_of",
    "verify_chain",
]


class StepRefused(ProscribeError):
    """A case cannot go on to a stage: every document and field that is missing is named."""

    code = "decide.step-refused"

    def __init__(self, case: Case, stage: Stage, missing: tuple[Missing, ...]) -> None:
        count = plural(
            len(missing),
            Text("thing is missing", "élément manque"),
            Text("things are missing", "éléments manquent"),
        )
        lines = Text(
            "".join(f"\n  - {one.name}: {one.what.en}. {one.remedy.en}" for one in missing),
            "".join(f"\n  - {one.name}\u00a0: {one.what.fr}. {one.remedy.fr}" for one in missing),
        )
        name = STAGES[stage]
        super().__init__(
            Text(
                f"stage '{name.en}' is refused: {count.en}", f"étape «\u00a0{name.fr}\u00a0» refusée\u00a0: {count.fr}"
            )
            + lines,
            remedy=Text(
                f"Add what is named, then try again; 'proscribe case show {case.id}' shows where the case stands.",
                "Ajoutez ce qui est nommé, puis réessayez; "
                f"«\u00a0proscribe case show {case.id}\u00a0» montre où en est le dossier.",
            ),
            where=Where(file=case.id),
        )
        self.stage = stage
        self.missing = missing


class CaseAltered(ProscribeError):
    """A case does not hang together: a step or a document was changed, taken out, or put elsewhere."""

    code = "decide.case-altered"


@dataclass(frozen=True)
class _Gaps:
    """Collects what is missing, each name once."""

    found: dict[str, Missing] = field(default_factory=dict)

    def add(self, more: Iterator[Missing] | Sequence[Missing]) -> None:
        for one in more:
            self.found.setdefault(one.name, one)


def stage_of(steps: Sequence[Step]) -> Stage | None:
    """The stage a case has reached; None before its intake."""
    return steps[-1].stage if steps else None


def next_stages(case: Case, steps: Sequence[Step]) -> tuple[Stage, ...]:
    """The stages that may be taken now, in their usual order; what each lacks, ``missing`` says."""
    return tuple(stage for stage in (*needs.stages(case), *needs.AFTERWARDS) if not _order(case, steps, stage))


def expired(case: Case, steps: Sequence[Step], now: datetime) -> bool:
    """Whether an interim decision has ended by itself: its last day is over and nothing confirmed it."""
    taken = {step.stage for step in steps}
    return (
        case.track is Track.interim
        and Stage.decide in taken
        and Stage.confirm not in taken
        and case.interim_until is not None
        and now.date() > case.interim_until
    )


def lapsed(file: CaseFile, stage: Stage, now: datetime) -> tuple[Missing, ...]:
    """What keeps a stage from being taken now that an interim decision has ended."""
    if stage in (Stage.review, Stage.revoke, Stage.supersede) or not expired(file.case, file.steps, now):
        return ()
    return (
        flaw(
            "case.interim_until",
            (
                f"the interim decision ended on {file.case.interim_until}",
                f"la décision provisoire a pris fin le {file.case.interim_until}",
            ),
            (
                "Nothing more is done under it; open another case on the standard track.",
                "Rien de plus ne se fait à ce titre; ouvrez un autre dossier sur la voie ordinaire.",
            ),
        ),
    )


def missing(file: CaseFile, taking: Taking) -> tuple[Missing, ...]:
    """All that keeps a case from a stage: stages before it, documents, fields of documents. Empty: it may be taken."""
    gaps = _Gaps()
    case, steps, stage = file.case, file.steps, taking.stage
    gaps.add(_order(case, steps, stage))
    in_order = not gaps.found
    gaps.add(_moment(file, taking))
    if stage is Stage.intake:
        gaps.add(content.head(case))
    gaps.add(_documents(file, taking))
    if in_order:  # out of order, what a document rests on is not there yet: naming that again would help nobody
        gaps.add(_bonds(file, taking))
        gaps.add(content.flaws(file, taking))
    return tuple(gaps.found.values())


def advance(file: CaseFile, taking: Taking) -> Step:
    """The step that takes a case to a stage. Raises StepRefused that lists all that is missing."""
    lacks = missing(file, taking)
    if lacks:
        raise StepRefused(file.case, taking.stage, lacks)
    last = file.steps[-1] if file.steps else None
    return Step(
        case=file.case.id,
        number=len(file.steps) + 1,
        stage=taking.stage,
        at=taking.at,
        by=taking.by,
        documents=tuple(
            Attached(name=name, kind=document.KIND, digest=digest(document))
            for name, document in sorted(taking.documents.items())
        ),
        previous=digest(last) if last else digest(file.case),
        note=taking.note,
    )


def verify_chain(case: Case, steps: Sequence[Step]) -> None:
    """Check that the steps are those of this case, whole and in order. Raises CaseAltered with the first fault."""
    before: Document = case
    for number, step in enumerate(steps, start=1):
        if step.case != case.id:
            raise altered(number, Text(f"it is of case {step.case}", f"elle est du dossier {step.case}"))
        if step.number != number:
            raise altered(number, Text(f"it says it is step {step.number}", f"elle dit être l'étape {step.number}"))
        if step.previous != digest(before):
            raise altered(
                number,
                Text("what stands before it is not what it names", "ce qui la précède n'est pas ce qu'elle nomme"),
            )
        before = step


def replay(file: CaseFile) -> None:
    """Check the chain, and that every step was one that may be taken. Raises CaseAltered."""
    verify_chain(file.case, file.steps)
    for index, step in enumerate(file.steps):
        gone = [one.name for one in step.documents if one.digest not in file.known]
        if gone:
            names = ", ".join(gone)
            raise altered(step.number, Text(f"documents are not there: {names}", f"documents absents\u00a0: {names}"))
        documents = {one.name: file.known[one.digest] for one in step.documents}
        unsigned = needs.signatures(file.case, step.stage) - documents.keys()
        taking = Taking(step.stage, documents, at=step.at, by=step.by, note=step.note, unsigned=unsigned)
        lacks = missing(CaseFile(file.case, file.steps[:index], file.known), taking)
        if lacks:
            first = lacks[0]
            raise altered(
                step.number,
                Text(f"it could not have been taken: {first.name}", f"elle n'a pu être franchie\u00a0: {first.name}")
                + COLON
                + Text(" ", " ")
                + first.what,
            )


def altered(number: int, what: Text, *, file: str = "") -> CaseAltered:
    """The error that names step ``number`` (0: the head of the case)."""
    return CaseAltered(
        what,
        remedy=Text(
            "Take the case from where it was exported, unchanged; 'git log' shows who changed which file.",
            "Reprenez le dossier tel qu'il a été exporté; «\u00a0git log\u00a0» montre qui a modifié quel fichier.",
        ),
        where=Where(file=file, field=f"steps.{number}" if number else ""),
    )


def _order(case: Case, steps: Sequence[Step], stage: Stage) -> Iterator[Missing] | tuple[Missing, ...]:
    if past(steps):
        return (
            flaw(
                "case",
                ("the case is closed", "le dossier est clos"),
                ("Open another case.", "Ouvrez un autre dossier."),
            ),
        )
    taken = done(steps)
    known = (*needs.stages(case), *needs.AFTERWARDS)
    if stage not in known:
        return (
            flaw(
                f"stage.{stage}",
                ("a case of this kind does not have this stage", "un dossier de ce type ne comporte pas cette étape"),
                ("'proscribe case show' lists its stages.", "«\u00a0proscribe case show\u00a0» énumère ses étapes."),
            ),
        )
    if (
        stage in taken
        and stage not in needs.REPEATED
        and (stage not in needs.PREPARATION or sealed(case, steps, stage))
    ):
        return (
            flaw(
                f"stage.{stage}",
                ("this stage is done", "cette étape est franchie"),
                (
                    "What was decided changes by 'review' and 'amend' alone.",
                    "Ce qui a été décidé ne change que par un réexamen et une modification.",
                ),
            ),
        )
    return tuple(
        flaw(
            f"stage.{one}",
            (f"stage '{STAGES[one].en}' comes first", f"l'étape «\u00a0{STAGES[one].fr}\u00a0» vient d'abord"),
            (f"Take stage '{one}'.", f"Franchissez l'étape «\u00a0{one}\u00a0»."),
        )
        for one in needs.before(case, stage)
        if one not in taken
    )


def _moment(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    last = file.steps[-1].at if file.steps else file.case.opened_at
    if taking.at < last:
        yield flaw(
            "step.at",
            (
                f"it lies before what was recorded at {last.isoformat()}",
                f"le moment précède ce qui est consigné à {last.isoformat()}",
            ),
            ("A step is dated when it is taken.", "Une étape est datée du moment où elle est franchie."),
        )
    if not taking.by.strip():
        yield flaw(
            "step.by",
            ("no role takes this step", "aucun rôle ne franchit cette étape"),
            ("Name the role.", "Nommez le rôle."),
        )
    if taking.note is not None:
        yield from written("step.note", taking.note)
    yield from lapsed(file, taking.stage, taking.at)


def _documents(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    wanted = needs.needed(file.case, taking.stage)
    placed: set[str] = set()
    for need in wanted:
        given = {name: one for name, one in taking.documents.items() if _answers(name, need)}
        placed.update(given)
        if not given and not need.optional and need.name not in taking.unsigned:
            yield Missing(
                need.name,
                Text(f"{need.what.en} is not there", f"il manque {need.what.fr}"),
                _remedy(file.case, need),
            )
        for name, one in given.items():
            if need.kinds and one.KIND not in need.kinds:
                kinds = ", ".join(need.kinds)
                yield flaw(
                    name,
                    (f"it is a {one.KIND}, not {kinds}", f"c'est un {one.KIND} et non {kinds}"),
                    ("Attach the right file.", "Joignez le bon fichier."),
                )
    for name in sorted(taking.documents.keys() - placed):
        if not needs.NAME.fullmatch(name) or not name.startswith(f"{needs.MORE}."):
            yield flaw(
                name,
                ("this stage does not ask for it", "cette étape ne le demande pas"),
                (
                    f"Correct the name, or attach it as '{needs.MORE}.{name}'.",
                    f"Corrigez le nom, ou joignez-le sous «\u00a0{needs.MORE}.{name}\u00a0».",
                ),
            )


def _bonds(file: CaseFile, taking: Taking) -> Iterator[Missing]:
    for need in needs.needed(file.case, taking.stage):
        for name, one in taking.documents.items():
            if _answers(name, need) and (not need.kinds or one.KIND in need.kinds):
                yield from content.bound(file, taking, need, name)


def _answers(name: str, need: needs.Needed) -> bool:
    return name == need.name or (need.many and name.startswith(f"{need.name}."))


def _remedy(case: Case, need: needs.Needed) -> Text:
    if need.name.startswith("notice."):
        return Text(
            f"Make it: 'proscribe notice {case.id} --to FOLDER', or add --compose to 'proscribe case advance'.",
            f"Produisez-le\u00a0: «\u00a0proscribe notice {case.id} --to RÉPERTOIRE\u00a0», ou ajoutez --compose à "
            "«\u00a0proscribe case advance\u00a0».",
        )
    kinds = " / ".join(need.kinds) or "*"
    return Text(
        f"'proscribe case add {case.id} {need.name} FILE' ({kinds}).",
        f"«\u00a0proscribe case add {case.id} {need.name} FICHIER\u00a0» ({kinds}).",
    )
