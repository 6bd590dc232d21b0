"""Cases: open one, lay documents ready, take it from stage to stage, see what is due.

Every step is authorised, dated and in the ledger, and rests on documents that are stored with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from proscribe.canonical import Digest
from proscribe.catalogue.library import did_you_mean
from proscribe.catalogue.model import TargetSet
from proscribe.clock import utc
from proscribe.decide import needs, process, vendor
from proscribe.decide.file import CaseFile, Taking, done, past
from proscribe.decide.files import read_case, write_case
from proscribe.decide.missing import Missing
from proscribe.decide.model import Attached, Case, Origin, ScheduledReview, Stage, Step, Track, VendorRecord
from proscribe.decide.words import STAGES
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError, Where
from proscribe.prove.model import EntryKind
from proscribe.service import casechecks, casestore, trusting
from proscribe.service.casestore import CaseExists, UnknownCase, load
from proscribe.service.installation import Installation
from proscribe.service.kinds import kinds
from proscribe.text import Text, days
from proscribe.trust.errors import KeyListExpired
from proscribe.trust.model import KeyList, SignedDocument, Verification

ROLES: dict[Stage, tuple[str, ...]] = {
    **dict.fromkeys((Stage.intake, Stage.assess, Stage.targets, Stage.impact), ("analyst", "security", "case-officer")),
    **dict.fromkeys((Stage.vendor, Stage.reviews), ("case-officer", "legal")),
    **dict.fromkeys(needs.DECISIONS, ("cio", "deputy-head")),
    Stage.supersede: ("cio", "deputy-head"),
    Stage.sign: ("case-officer", "cio", "security", "legal"),
    Stage.publish: ("case-officer", "communications"),
    **dict.fromkeys((Stage.acknowledge, Stage.act, Stage.attest), ("case-officer", "operator")),
    Stage.review: ("case-officer", "security", "legal"),
}
"""Which roles take a case to a stage, unless ``[case.roles]`` says otherwise. Whoever prepares does not decide."""

_NOBODY_SIGNS = Text(
    "Not signed: no key list with a rule for it is installed here.",
    "Non signé\u00a0: aucune liste de clés comportant une règle à ce sujet n'est installée ici.",
)


class RoleRefused(ProscribeError):
    """The role may not take a case to that stage."""

    code = "case.role-refused"


class FutureStep(ProscribeError):
    """A step is dated later than now."""

    code = "case.future-step"


@dataclass(frozen=True)
class CaseView:
    """Where a case stands: its file, what lies ready, and for each stage that may come next what it still lacks."""

    file: CaseFile
    desk: tuple[Attached, ...]
    lacks: Mapping[Stage, tuple[Missing, ...]]
    expired: bool

    @property
    def head(self) -> Digest:
        """The digest of the last step: noted elsewhere, it tells a rewritten case from the true one."""
        return head_of(self.file)


def head_of(file: CaseFile) -> Digest:
    """The digest of the last step of a case, or of the case itself."""
    return digest(file.steps[-1] if file.steps else file.case)


def roles(installation: Installation, stage: Stage) -> tuple[str, ...]:
    """The roles that may take a case to a stage."""
    return installation.settings.case.roles.get(stage, ROLES[stage])


def open_case(
    installation: Installation, case: Case, documents: Mapping[str, Document] | None = None, *, note: Text | None = None
) -> Case:
    """Open a case and take its intake; the very same one again changes nothing.

    Raises CaseExists, RoleRefused, StepRefused (what the head lacks, or what was received and is not attached).
    """
    with installation.atomic():
        casestore.lock()
        known = installation.stores.documents.latest(Case, subject=case.id)
        if known == case:
            return case
        if known is not None:
            raise CaseExists(
                Text(f"there is another case {case.id}", f"il y a un autre dossier {case.id}"),
                remedy=Text("Give it an id of its own.", "Donnez-lui un identifiant distinct."),
                where=Where(field="id"),
            )
        _named_well(case.id)
        _take(installation, CaseFile(case), Stage.intake, documents or {}, note=note, at=case.opened_at)
        installation.stores.documents.put(case, subject=case.id, at=installation.clock.now())
    return case


def attach(installation: Installation, case_id: str, name: str, document: Document) -> Digest:
    """Lay a document ready for a step under a name; another one under that name takes its place. Raises UnknownCase.

    Nothing is checked yet but the name: 'case show' says what is wrong with it.
    """
    with installation.atomic():
        casestore.lock()
        file = load(installation, case_id)
        _known_name(file.case, name)
        one = Attached(name=name, kind=document.KIND, digest=casestore.keep(installation, case_id, document))
        desk = casestore.desk_of(installation, case_id)
        if one not in desk:
            rest = tuple(other for other in desk if other.name != name)
            casestore.lay(installation, case_id, (*rest, one))
            installation.record(
                EntryKind.case, case_id, event="laid_ready", name=name, document=one.kind, digest=one.digest
            )
    return one.digest


def withdraw(installation: Installation, case_id: str, name: str) -> bool:
    """Take a document that lies ready away again; False where there was none. What a step took cannot be withdrawn."""
    with installation.atomic():
        casestore.lock()
        desk = casestore.desk_of(installation, load(installation, case_id).case.id)
        rest = tuple(one for one in desk if one.name != name)
        if len(rest) != len(desk):
            casestore.lay(installation, case_id, rest)
            installation.record(EntryKind.case, case_id, event="withdrawn", name=name)
    return len(rest) != len(desk)


def advance(
    installation: Installation,
    case_id: str,
    stage: Stage,
    documents: Mapping[str, Document] | None = None,
    *,
    note: Text | None = None,
    at: datetime | None = None,
) -> Step:
    """Take a case to a stage, on what lies ready for it and the ``documents`` brought along.

    ``at``: when it happened, where it is recorded later. Raises RoleRefused, FutureStep, UnknownCase, or StepRefused
    that lists all that is missing.
    """
    with installation.atomic():
        casestore.lock()
        return _take(installation, load(installation, case_id), stage, documents or {}, note=note, at=at)


def show(installation: Installation, case_id: str) -> CaseView:
    """Where a case stands. Raises UnknownCase."""
    file = load(installation, case_id)
    now = installation.clock.now()
    lacks = {}
    for stage in process.next_stages(file.case, file.steps):
        taking, here = _prepared(installation, file, stage, {}, now)
        lacks[stage] = _lacks(file, taking, here)
    return CaseView(file, casestore.desk_of(installation, case_id), lacks, process.expired(file.case, file.steps, now))


def listed(installation: Installation) -> tuple[CaseFile, ...]:
    """Every case, the newest first."""
    return tuple(load(installation, case.id) for case in installation.stores.documents.all(Case))


def export(installation: Installation, case_id: str, folder: Path) -> Digest:
    """Write a case as files and give the digest of its last step. Raises UnknownCase or FolderInUse."""
    file = load(installation, case_id)
    write_case(folder, file)
    return head_of(file)


def import_(installation: Installation, folder: Path, *, head: Digest | None = None) -> CaseFile:
    """Bring in a case from files, or the steps of it that are not known here yet.

    Raises CaseAltered with the place of the first fault, also where the last step is not the one of ``head``;
    CaseExists or CaseForked where the case here says otherwise; FutureStep; StepRefused where an interim decision known
    here has ended since.
    """
    file = read_case(folder, kinds())
    if head is not None and head_of(file) != head:
        raise process.altered(
            len(file.steps),
            Text(
                f"the last step is {head_of(file)}, not {head}", f"la dernière étape est {head_of(file)} et non {head}"
            ),
            file=str(folder),
        )
    now = installation.clock.now()
    for step in file.steps:
        _not_yet(step.at, now)
    with installation.atomic():
        casestore.lock()
        known = installation.stores.documents.latest(Case, subject=file.case.id)
        if known is not None:
            mine = load(installation, file.case.id)
            for step in file.steps[len(mine.steps) :]:
                ended = process.lapsed(mine, step.stage, now)
                if ended:
                    raise process.StepRefused(file.case, step.stage, ended)
        casestore.adopt(installation, file)
    return file


def interim_expired(installation: Installation, directive_id: str, now: datetime) -> Case | None:
    """The case under which a directive was in force for a time that is over, unless another case keeps it in force.

    Raises CaseAltered where a case that may be about this directive was changed; one about another stops nothing here.
    """
    ended: Case | None = None
    for case in installation.stores.documents.all(Case):
        if case.directive not in ("", directive_id):
            continue
        file = load(installation, case.id)
        directive = file.current("directive")
        if directive_id not in (file.case.directive, getattr(directive, "id", "")):
            continue
        decided = Stage.decide in done(file.steps)
        if process.expired(file.case, file.steps, now):
            ended = ended or file.case
        elif decided and not past(file.steps):
            return None
    return ended


@dataclass(frozen=True)
class CaseDuty:
    """Something a case waits for: what, and by when."""

    case: str
    what: Text
    on: date
    overdue: bool


SOON = timedelta(days=14)
"""How long before its last day an interim decision is shown as ending."""
IDLE = timedelta(days=30)
"""After how long without a step a case is shown as lying still. Warnings of 2020 led to the Canadian bans of 2023."""


def due(installation: Installation, now: datetime) -> tuple[CaseDuty, ...]:
    """What is due in all cases, the oldest first: replies, ends of interim decisions, reviews, cases that lie still."""
    found = [duty for file in listed(installation) if not past(file.steps) for duty in _duties(file, now)]
    return tuple(sorted(found, key=lambda duty: (duty.on, duty.case)))


def _duties(file: CaseFile, now: datetime) -> Iterator[CaseDuty]:
    case, today, taken = file.case, now.date(), done(file.steps)
    heard = not taken.isdisjoint({Stage.decide} if case.track is Track.standard else {Stage.confirm})
    record = file.current("vendor")
    if isinstance(record, VendorRecord) and record.waiver is None and record.reply_due and not heard:
        if vendor.still_open(record, today):
            yield CaseDuty(
                case.id, Text("the vendor may reply", "le fournisseur peut répondre"), record.reply_due, overdue=False
            )
        elif record.reply_received is None:
            what = Text(
                "no reply of the vendor; go on without it", "aucune réponse du fournisseur; poursuivez sans elle"
            )
            yield CaseDuty(case.id, what, record.reply_due, overdue=True)
    if case.interim_until and Stage.confirm not in taken and today >= case.interim_until - SOON:
        what = Text(
            "the interim decision ends unless confirmed", "la décision provisoire prend fin, à moins d'être confirmée"
        )
        yield CaseDuty(case.id, what, case.interim_until, today > case.interim_until)
    review_on = _review_on(file)
    if review_on and Stage.publish in taken and today >= review_on - SOON:
        yield CaseDuty(
            case.id,
            Text("the decision is due for review", "la décision doit être réexaminée"),
            review_on,
            today > review_on,
        )
    last = file.steps[-1].at if file.steps else case.opened_at
    if Stage.publish not in taken and now - last > IDLE:
        still = days((now - last).days)
        what = Text(f"no step for {still.en}", f"aucune étape depuis {still.fr}")
        yield CaseDuty(case.id, what, last.date(), overdue=True)


def _review_on(file: CaseFile) -> date | None:
    """The next day of review: what the last review set, else what the directive says."""
    review, directive = file.current("review"), file.current("directive")
    if isinstance(review, ScheduledReview):
        return review.next_on
    return directive.review_on if isinstance(directive, Directive) else None


def _take(
    installation: Installation,
    file: CaseFile,
    stage: Stage,
    documents: Mapping[str, Document],
    *,
    note: Text | None,
    at: datetime | None,
) -> Step:
    _authorised(installation, stage)
    now = installation.clock.now()
    moment = utc(at) if at else now
    _not_yet(moment, now)
    taking, here = _prepared(installation, file, stage, documents, moment, note)
    lacks = _lacks(file, taking, {**casechecks.dated_back(file, stage, moment, now, note), **here})
    if lacks:
        raise process.StepRefused(file.case, stage, lacks)
    step = process.advance(file, taking)
    for document in taking.documents.values():
        casestore.keep(installation, file.case.id, document)
    casestore.record(installation, file, step, event="step")
    desk = casestore.desk_of(installation, file.case.id)
    rest = tuple(one for one in desk if one.name not in taking.documents)
    if rest != desk:
        casestore.lay(installation, file.case.id, rest)
    if stage in (Stage.publish, Stage.revoke):
        _in_force(
            installation,
            CaseFile(file.case, (*file.steps, step), casestore.StoredDocuments(installation, (*file.steps, step))),
        )
    return step


def _not_yet(moment: datetime, now: datetime) -> None:
    if moment > now:
        raise FutureStep(
            Text(f"{moment.isoformat()} is in the future", f"{moment.isoformat()} est dans l'avenir"),
            remedy=Text("Take the step when that day has come.", "Franchissez l'étape ce jour venu."),
        )


def _prepared(
    installation: Installation,
    file: CaseFile,
    stage: Stage,
    documents: Mapping[str, Document],
    at: datetime,
    note: Text | None = None,
) -> tuple[Taking, dict[str, Missing]]:
    """The step with what lies ready for it and the signatures that are on record; and what speaks against it here."""
    names = tuple(need.name for need in needs.needed(file.case, stage))
    ready: dict[str, Document] = {}
    for one in casestore.desk_of(installation, file.case.id):
        if one.name.startswith((*(f"{name}." for name in names), f"{needs.MORE}.")) or one.name in names:
            ready[one.name] = casestore.fetch(installation, one)
    why = casechecks.typed_notices(installation, file.case, ready)
    ready = {**{name: one for name, one in ready.items() if name not in why}, **documents}
    why |= casechecks.beside_others(installation, file, stage, ready)
    nobody: set[str] = set()
    for name in sorted(needs.signatures(file.case, stage)):
        of = name.removeprefix("signature.")
        typed = ready.pop(name, None)
        document = ready.get(of) or file.current(of)
        if document is None:
            continue
        try:
            found = trusting.require(installation, digest(document), document.KIND)
        except trusting.NotSigned as refusal:
            why[name] = Missing(name, refusal.what, _to_be_signed(file.case.id, of))
            continue
        except KeyListExpired as refusal:
            why[name] = Missing(name, refusal.what, refusal.remedy)
            continue
        if typed not in (None, found):
            why[name] = casechecks.typed_signature(name)
        elif found is None:
            nobody.add(name)
        else:
            ready.update(_signed(installation, of, found))
    if nobody and note is None:
        note = _NOBODY_SIGNS
    return Taking(stage, ready, at=at, by=installation.actor, note=note, unsigned=frozenset(nobody)), why


def _to_be_signed(case_id: str, name: str) -> Text:
    get, seal = (
        f"proscribe case get {case_id} {name} --out {name}.json",
        f"proscribe sign {name}.json --by ... --key ...",
    )
    record = f"proscribe verify {name}.dsse.json --record"
    return Text(
        f"'{get}'; have it signed ('{seal}') and record it ('{record}').",
        f"«\u00a0{get}\u00a0»; faites-le signer («\u00a0{seal}\u00a0») et consignez-le («\u00a0{record}\u00a0»).",
    )


def _lacks(file: CaseFile, taking: Taking, here: Mapping[str, Missing]) -> tuple[Missing, ...]:
    """What the case itself lacks, and what is known here that speaks against the step; each name once."""
    return tuple({**{one.name: one for one in process.missing(file, taking)}, **here}.values())


def _signed(installation: Installation, of: str, found: Verification) -> dict[str, Document]:
    """What a signature is worth, the envelope itself, and the key list: enough to check it elsewhere."""
    documents = installation.stores.documents
    made: dict[str, Document] = {f"signature.{of}": found, "key-list": documents.get(KeyList, found.key_list)}
    if found.envelope is not None:
        made[f"envelope.{of}"] = documents.get(SignedDocument, found.envelope)
    return made


def _authorised(installation: Installation, stage: Stage) -> None:
    allowed = roles(installation, stage)
    if installation.actor not in allowed:
        names = ", ".join(allowed)
        raise RoleRefused(
            Text(
                f"the role '{installation.actor}' may not take stage '{STAGES[stage].en}'",
                f"le rôle «\u00a0{installation.actor}\u00a0» ne peut franchir l'étape «\u00a0{STAGES[stage].fr}\u00a0»",
            ),
            remedy=Text(
                f"Use '--as' with one of: {names}; or change [case.roles] in proscribe.toml.",
                f"Utilisez «\u00a0--as\u00a0» avec l'un de ces rôles\u00a0: {names}; ou modifiez [case.roles] dans "
                "proscribe.toml.",
            ),
        )


def _in_force(installation: Installation, file: CaseFile) -> None:
    """From here on the directive is known by its id, and planning uses the targets of this case."""
    directive, targets = file.current("directive"), file.current("targets")
    if isinstance(directive, Directive):
        installation.keep(directive, EntryKind.directive, subject=directive.id, directive=directive.id)
        if isinstance(targets, TargetSet):
            installation.keep(targets, EntryKind.target_set, subject=directive.id, directive=directive.id)


def _named_well(case_id: str) -> None:
    if not needs.NAME.fullmatch(case_id):
        raise UnknownCase(
            Text(f"{case_id!r} cannot be the id of a case", f"«\u00a0{case_id}\u00a0» ne peut identifier un dossier"),
            remedy=Text(
                "Use lower-case letters, digits and single hyphens.",
                "Employez des minuscules, des chiffres et des traits d'union simples.",
            ),
            where=Where(field="id"),
        )


def _known_name(case: Case, name: str) -> None:
    every = {need.name for stage in Stage for need in needs.needed(case, stage)}
    many = {need.name for stage in Stage for need in needs.needed(case, stage) if need.many}
    base = name.partition(".")[0]
    if not needs.NAME.fullmatch(name) or not (name in every or base in many | {needs.MORE}):
        raise UnknownName(
            Text(
                f"no stage of this case asks for {name!r}",
                f"aucune étape de ce dossier ne demande «\u00a0{name}\u00a0»",
            ),
            remedy=did_you_mean(
                name,
                tuple(sorted(every)),
                otherwise=Text(
                    f"Use one of: {', '.join(sorted(every))}; or {needs.MORE}.{name} for anything else.",
                    f"Utilisez\u00a0: {', '.join(sorted(every))}; ou {needs.MORE}.{name} pour le reste.",
                ),
            ),
            where=Where(field="name"),
        )


class UnknownName(ProscribeError):
    """A document was attached under a name that no stage of the case asks for."""

    code = "case.unknown-name"


def new_case(
    installation: Installation, case_id: str, title: Text, concern: Text, *, origin: Origin, **more: object
) -> Case:
    """The head of a case opened now by who is acting; ``more``: the other fields of a Case."""
    case = Case(
        id=case_id,
        title=title,
        track=Track.standard,
        origin=origin,
        concern=concern,
        opened_at=installation.clock.now(),
        opened_by=installation.actor,
    )
    return replace(case, **more)  # type: ignore[arg-type]
