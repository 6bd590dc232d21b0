"""What the documents of a proof must say together. Each check looks at one promise and names the member at fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.enforce.ceilings import ALLOWED
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.inventory.model import SnapshotManifest
from proscribe.plan.model import Plan
from proscribe.prove import members as names
from proscribe.prove.evidence import tally
from proscribe.prove.ledger import Tree, leaf_hash_of, root_hash, verify_inclusion
from proscribe.prove.model import (
    BundleManifest,
    Check,
    CheckState,
    Counts,
    EntryKind,
    ExemptionList,
    LedgerEntry,
    LedgerProofs,
    NotSeen,
    ReceiptLine,
    SignatureList,
    TreeHead,
)
from proscribe.prove.signatures import check_signatures
from proscribe.terms import Enrolment
from proscribe.text import Text, devices
from proscribe.trust.model import SignedDocument

PARTLY_VISIBLE = frozenset({Enrolment.byod, Enrolment.user_enrolment, Enrolment.cope})
"""Enrolments with a part that no inventory shows: "not listed" never means "not there".

Written down here a second time on purpose, so that a mistake in the table of what may be said of a device
(``enforce.ceilings``) cannot vouch for itself.
"""


@dataclass(frozen=True)
class Proof:
    """The documents of a bundle, each known to fit its schema. ``entries`` come with their bytes."""

    manifest: BundleManifest
    directive: Directive
    targets: TargetSet
    plans: tuple[Plan, ...]
    snapshots: tuple[SnapshotManifest, ...]
    counts: Counts
    exemptions: ExemptionList
    not_seen: NotSeen
    proofs: LedgerProofs
    leaves: tuple[bytes, ...]
    entries: tuple[tuple[LedgerEntry, bytes], ...]
    receipts: tuple[ReceiptLine, ...]
    outcomes: Callable[[], Iterator[DeviceOutcome]]
    key_lists: tuple[SignedDocument, ...] = ()
    signed: tuple[SignedDocument, ...] = ()
    signatures: SignatureList | None = None


class _Report:
    """Collects what one check found wrong; without any, the check passed."""

    def __init__(self, name: str, member: str) -> None:
        self._name = name
        self._member = member
        self._found: list[Check] = []

    def wrong(self, en: str, fr: str, member: str = "") -> None:
        self._found.append(Check(self._name, CheckState.failed, member or self._member, Text(en, fr)))

    def limited(self, en: str, fr: str, member: str = "") -> None:
        self._found.append(Check(self._name, CheckState.limited, member or self._member, Text(en, fr)))

    def done(self, en: str, fr: str) -> Iterator[Check]:
        yield from self._found or [Check(self._name, CheckState.passed, self._member, Text(en, fr))]


def check_all(proof: Proof, earlier: TreeHead | None = None, key_list: Digest | None = None) -> Iterator[Check]:
    """Every check, in the order in which one leans on the other."""
    yield from _chain(proof)
    yield from _plans(proof)
    yield from _ledger_root(proof)
    yield from _ledger_entries(proof)
    if earlier is not None:
        yield from _goes_on_from(proof, earlier)
    yield from _anchored(proof)
    yield from check_signatures(proof, key_list)
    yield from _receipts(proof)
    survey = _Survey(proof)
    yield from _outcomes_add_up(proof, survey)
    yield from _ceilings(survey)
    yield from _recorded_outcomes(proof)
    yield from _blind_spots(proof)


def _chain(proof: Proof) -> Iterator[Check]:
    """Directive <- target set <- plans, and the snapshots."""
    report = _Report("chain", names.DIRECTIVE)
    manifest, directive, targets = proof.manifest, proof.directive, proof.targets
    if digest(directive) != manifest.directive_digest or directive.id != manifest.directive:
        report.wrong("it is not the directive the manifest names", "ce n'est pas la directive que nomme le manifeste")
    if digest(targets) != manifest.targets_digest:
        report.wrong(
            "it is not the target set the manifest names",
            "ce n'est pas l'ensemble de cibles que nomme le manifeste",
            names.TARGETS,
        )
    if (targets.directive, targets.directive_version) != (directive.id, directive.version):
        report.wrong(
            "it was made for another directive or version",
            "il a été établi pour une autre directive ou version",
            names.TARGETS,
        )
    for at, snapshot in enumerate(proof.snapshots, start=1):
        if digest(snapshot) != manifest.snapshots[at - 1]:
            report.wrong(
                "it is not the snapshot the manifest names",
                "ce n'est pas l'instantané que nomme le manifeste",
                names.SNAPSHOT.format(at),
            )
    yield from report.done(
        "directive, target set and snapshots are those the manifest names",
        "la directive, l'ensemble de cibles et les instantanés sont ceux que nomme le manifeste",
    )


def _plans(proof: Proof) -> Iterator[Check]:
    report = _Report("plans", names.PLAN.format(1) if proof.plans else names.MANIFEST)
    manifest = proof.manifest
    copies = {text for entry, _ in proof.entries for text in _texts(entry.body)}
    for at, plan in enumerate(proof.plans, start=1):
        name = names.PLAN.format(at)
        if plan.directive != manifest.directive:
            report.wrong("it is about another directive", "il porte sur une autre directive", name)
        if at == len(proof.plans) and (plan.directive_digest, plan.targets_digest) != (
            manifest.directive_digest,
            manifest.targets_digest,
        ):
            report.wrong(
                "it was made from another directive or target set",
                "il a été établi à partir d'une autre directive ou d'un autre ensemble de cibles",
                name,
            )
        if plan.snapshot_digest not in manifest.snapshots:
            report.limited(
                "the snapshot it was made from is not in this bundle",
                "l'instantané dont il est issu n'est pas dans ce dossier",
                name,
            )
        counts = plan.counts
        parts = counts.to_remove + counts.block_only + counts.nothing_to_do + counts.exempt + counts.cannot
        if parts != counts.in_scope:
            report.wrong("its counts do not add up", "ses décomptes ne concordent pas", name)
        own = digest(plan)
        if own != manifest.plans[at - 1]:
            if not manifest.pseudonymised:
                report.wrong(
                    "it is not the plan the manifest names", "ce n'est pas le plan que nomme le manifeste", name
                )
            elif own not in copies:
                report.limited(
                    "device keys are replaced in this copy, so the digest of the plan that was approved cannot be "
                    "computed from it; the ledger names that digest",
                    "les clés d'appareils sont remplacées dans cette copie : l'empreinte du plan approuvé ne peut donc "
                    "en être calculée; le registre, lui, la nomme",
                    name,
                )
    yield from report.done(
        f"plans: {len(proof.plans)}, of this directive, adding up, with the digest on record",
        f"plans : {len(proof.plans)}, de cette directive, exacts, dotés de l'empreinte consignée",
    )


def _ledger_root(proof: Proof) -> Iterator[Check]:
    report = _Report("ledger-root", names.LEAVES)
    head = proof.manifest.tree_head
    if len(proof.leaves) != head.size or root_hash(proof.leaves).hex() != head.root:
        report.wrong(
            "its hashes do not give the tree head of the manifest",
            "ses empreintes ne donnent pas la tête de l'arbre indiquée dans le manifeste",
        )
    if proof.proofs.tree_head != head:
        report.wrong("it proves against another tree head", "il se rapporte à une autre tête de l'arbre", names.PROOFS)
    yield from report.done(
        f"{head.size} leaf hashes give the root {head.root}",
        f"{head.size} empreintes de feuilles donnent la racine {head.root}",
    )


def _ledger_entries(proof: Proof) -> Iterator[Check]:
    report = _Report("ledger-entries", names.ENTRIES)
    head = proof.manifest.tree_head
    paths = {item.index: item.path for item in proof.proofs.entries}
    indexes = [entry.index for entry, _ in proof.entries]
    if indexes != sorted(set(indexes)):
        report.wrong("the entries are not in order", "les entrées ne sont pas en ordre")
    if set(paths) != set(indexes) or len(paths) != len(proof.proofs.entries):
        report.wrong(
            "the proofs are not those of the entries", "les preuves ne sont pas celles des entrées", names.PROOFS
        )
    for entry, data in proof.entries:
        if not 0 <= entry.index < len(proof.leaves) or leaf_hash_of(data) != proof.leaves[entry.index]:
            report.wrong(
                f"entry {entry.index} is not the one in the ledger",
                f"l'entrée {entry.index} n'est pas celle du registre",
            )
        elif not _included(data, entry.index, paths.get(entry.index, ()), head):
            report.wrong(
                f"the proof of entry {entry.index} does not lead to the root",
                f"la preuve de l'entrée {entry.index} ne mène pas à la racine",
                names.PROOFS,
            )
    withheld = sum(proof.proofs.withheld.values())
    if len(proof.entries) + withheld != head.size:
        report.wrong(
            "entries shown and entries withheld do not make up the ledger",
            "les entrées montrées et les entrées retenues ne forment pas le registre",
            names.PROOFS,
        )
    yield from report.done(
        f"entries proven to be in the ledger: {len(proof.entries)}; there as a hash only: {withheld}",
        f"entrées dont la présence au registre est prouvée : {len(proof.entries)}; montrées par leur seule empreinte : "
        f"{withheld}",
    )


def _included(data: bytes, index: int, path: tuple[str, ...], head: TreeHead) -> bool:
    try:
        hashes = [bytes.fromhex(part) for part in path]
        return verify_inclusion(leaf_hash_of(data), index, head.size, hashes, bytes.fromhex(head.root))
    except ValueError:
        return False


def _goes_on_from(proof: Proof, earlier: TreeHead) -> Iterator[Check]:
    report = _Report("earlier-head", names.LEAVES)
    if not 0 <= earlier.size <= len(proof.leaves):
        report.wrong(
            f"the ledger's size is {len(proof.leaves)}, less than that of the earlier tree head ({earlier.size})",
            f"la taille du registre est de {len(proof.leaves)}, inférieure à celle de la tête antérieure "
            f"({earlier.size})",
        )
    elif Tree(proof.leaves).root(earlier.size).hex() != earlier.root.lower():
        report.wrong(
            f"up to size {earlier.size} its entries are not those of the earlier tree head: the past was rewritten",
            f"jusqu'à la taille {earlier.size}, ses entrées ne sont pas celles de la tête antérieure : le passé a été "
            "réécrit",
        )
    yield from report.done(
        f"the ledger goes on from the earlier tree head (size {earlier.size})",
        f"le registre prolonge la tête antérieure (taille {earlier.size})",
    )


def _anchored(proof: Proof) -> Iterator[Check]:
    """The ledger names the digest of every document that decides something."""
    report = _Report("recorded", names.ENTRIES)
    named = {text for entry, _ in proof.entries for text in (entry.subject, *_texts(entry.body))}
    manifest = proof.manifest
    wanted: list[tuple[str, Digest]] = [
        (names.DIRECTIVE, manifest.directive_digest),
        (names.TARGETS, manifest.targets_digest),
        *((names.PLAN.format(at), value) for at, value in enumerate(manifest.plans, start=1)),
        *((names.SNAPSHOT.format(at), value) for at, value in enumerate(manifest.snapshots, start=1)),
    ]
    for member, value in wanted:
        if value not in named:
            report.wrong("no entry of the ledger records it", "aucune entrée du registre ne le consigne", member)
    yield from report.done(
        f"the ledger records {len(wanted)} documents by their digests",
        f"le registre consigne {len(wanted)} documents par leur empreinte",
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _receipts(proof: Proof) -> Iterator[Check]:
    """Receipts are those of the ledger, and each answers an order that was written down before it was sent."""
    report = _Report("receipts", names.RECEIPTS)
    recorded = tuple(
        ReceiptLine(index=entry.index, at=entry.at, action=entry.subject, body=entry.body)
        for entry, _ in proof.entries
        if entry.entry is EntryKind.receipt
    )
    if recorded != proof.receipts:
        report.wrong("they are not the receipts of the ledger", "ce ne sont pas les accusés de réception du registre")
    intended: set[str] = set()
    for entry, _ in proof.entries:
        if entry.entry in (EntryKind.intent, EntryKind.lift):
            intended.add(entry.subject)
        # Status 0: the change was found in place, nothing was sent and so nothing had to be intended.
        elif entry.entry is EntryKind.receipt and entry.subject not in intended and entry.body.get("status") != 0:
            report.wrong(
                f"entry {entry.index} is a receipt, and no intent stands before it",
                f"l'entrée {entry.index} est un accusé de réception qu'aucune intention ne précède",
                names.ENTRIES,
            )
    yield from report.done(
        f"receipts: {len(recorded)}, each after its intent",
        f"accusés de réception : {len(recorded)}, chacun après son intention",
    )


class _Survey:
    """Everything the checks need to know of the outcomes, from one pass over them: there may be a million."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._devices: set[str] = set()
        self.twice = 0
        self.foreign = 0
        self.unobserved = 0
        self.too_good: Counter[tuple[Enrolment, Outcome]] = Counter()
        self.counts = tally(proof.manifest.directive, self._watched())

    def _watched(self) -> Iterator[DeviceOutcome]:
        for outcome in self._proof.outcomes():
            self.twice += outcome.device in self._devices
            self._devices.add(outcome.device)
            self.foreign += outcome.directive != self._proof.manifest.directive
            compliant = outcome.outcome.compliant
            self.unobserved += compliant and outcome.observed_at is None
            if outcome.outcome not in ALLOWED[outcome.enrolment] or (compliant and outcome.enrolment in PARTLY_VISIBLE):
                self.too_good[outcome.enrolment, outcome.outcome] += 1
            yield outcome


def _outcomes_add_up(proof: Proof, survey: _Survey) -> Iterator[Check]:
    report = _Report("outcomes", names.OUTCOMES)
    manifest, again = proof.manifest, survey.counts
    if survey.foreign:
        report.wrong("some are about another directive", "certains portent sur une autre directive")
    if survey.twice:
        report.wrong("a device is counted twice", "un appareil est compté deux fois")
    if (again.fleet, again.by_outcome) != (manifest.fleet, manifest.outcomes):
        report.wrong(
            f"they are of {devices(again.fleet).en} and do not give the counts of the manifest",
            f"ils portent sur {devices(again.fleet).fr} et ne donnent pas les décomptes du manifeste",
        )
    if again != proof.counts:
        report.wrong(
            "the counts are not those of the outcomes", "les décomptes ne sont pas ceux des résultats", names.COUNTS
        )
    yield from report.done(
        f"devices: {again.fleet}, one outcome each; the counts add up to the fleet",
        f"appareils : {again.fleet}, un résultat chacun; la somme des décomptes égale le parc",
    )


def _ceilings(survey: _Survey) -> Iterator[Check]:
    """No device is reported better than anybody can know (DESIGN rules 1 and 2)."""
    report = _Report("ceilings", names.OUTCOMES)
    for (enrolment, value), count in sorted(survey.too_good.items()):
        report.wrong(
            f"reported as {value}, which nobody can know of devices enrolled as {enrolment}: {devices(count).en}",
            f"déclarés {value}, ce que personne ne peut savoir d'appareils inscrits comme {enrolment} : "
            f"{devices(count).fr}",
        )
    if survey.unobserved:
        report.wrong(
            f"reported as compliant without an observation: {devices(survey.unobserved).en}",
            f"déclarés conformes sans observation : {devices(survey.unobserved).fr}",
        )
    yield from report.done(
        "no device is reported as compliant beyond what can be seen of it",
        "aucun appareil n'est déclaré conforme au-delà de ce qui peut en être vu",
    )


def _recorded_outcomes(proof: Proof) -> Iterator[Check]:
    """The last counts in the ledger are those of this bundle."""
    report = _Report("recorded-outcomes", names.COUNTS)
    recorded = [
        entry.body["counts"]
        for entry, _ in proof.entries
        if entry.entry is EntryKind.outcomes and isinstance(entry.body.get("counts"), dict)
    ]
    if not recorded:
        report.limited(
            "the ledger holds no counts to compare with", "le registre ne comporte aucun décompte à comparer"
        )
    elif {name: devices for name, devices in recorded[-1].items() if devices} != proof.counts.by_outcome:
        report.wrong(
            "the counts are not the last ones in the ledger", "les décomptes ne sont pas les derniers du registre"
        )
    yield from report.done("the counts are the last ones in the ledger", "les décomptes sont les derniers du registre")


def _blind_spots(proof: Proof) -> Iterator[Check]:
    """What was not seen is told in full: nothing that is short of compliance may go missing from it."""
    report = _Report("not-seen", names.NOT_SEEN)
    wanted = {name: devices for name, devices in proof.counts.by_outcome.items() if not name.compliant}
    if proof.not_seen.not_verified != wanted:
        report.wrong("it leaves out devices without a verified outcome", "il omet des appareils sans résultat vérifié")
    if proof.snapshots and proof.not_seen.coverage != proof.snapshots[-1].coverage:
        report.wrong(
            "its coverage is not that of the newest snapshot",
            "sa couverture n'est pas celle de l'instantané le plus récent",
        )
    if proof.not_seen.statements != proof.manifest.not_seen:
        report.wrong("the manifest tells it differently", "le manifeste en dit autre chose")
    yield from report.done(
        f"devices without a verified outcome: {sum(wanted.values())}, all accounted for",
        f"appareils sans résultat vérifié : {sum(wanted.values())}, tous comptés",
    )
