"""What goes into a proof, made from the governance state by plain functions: counts, blind spots, ledger extracts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.inventory.model import Coverage, SnapshotManifest, Visibility
from proscribe.plan.labels import class_label
from proscribe.plan.model import ExemptionRegister
from proscribe.prove.ledger import Tree, leaf_hash_of, read_entry
from proscribe.prove.model import (
    Counts,
    EntryKind,
    ExemptionSummary,
    InclusionProof,
    LedgerEntry,
    LedgerProofs,
    NotSeen,
    ReceiptLine,
    Tally,
    TreeHead,
    Withheld,
)
from proscribe.prove.ports import LedgerStore
from proscribe.prove.pseudonym import names_a_device, veiled
from proscribe.text import Text

SMALL_DEPARTMENTS = "(small departments)"  # stands in documents for departments put together

_COMMON = frozenset(
    {
        EntryKind.snapshot,
        EntryKind.observation,
        EntryKind.freeze,
        EntryKind.thaw,
        EntryKind.retention,
        EntryKind.key_list,
    }
)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_ORDERS = frozenset({EntryKind.intent, EntryKind.receipt, EntryKind.fault})


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """The outcomes as they stood at one moment: Outcome -> devices."""

    at: datetime
    by_outcome: dict[Outcome, int]


@dataclass(frozen=True)
class LedgerExtract:
    """The part of a ledger that a bundle shows: the entries with their canonical bytes, the rest as leaf hashes."""

    leaves: tuple[bytes, ...]
    shown: tuple[tuple[LedgerEntry, bytes], ...]
    proofs: LedgerProofs

    @property
    def head(self) -> TreeHead:
        """The tree head that every proof leads to."""
        return self.proofs.tree_head

    def receipts(self) -> tuple[ReceiptLine, ...]:
        """The receipts among the entries shown, in order."""
        return tuple(
            ReceiptLine(index=entry.index, at=entry.at, action=entry.subject, body=entry.body)
            for entry, _ in self.shown
            if entry.entry is EntryKind.receipt
        )


def extract_ledger(ledger: LedgerStore, directive: str, devices: Collection[str]) -> LedgerExtract:
    """Show the entries about one directive and about the installation; keep the rest to its leaf hash.

    ``devices`` are the device keys that must not appear: an entry that names one is withheld as well, since changing
    it would break its leaf hash. The ledger is read as it stands at this moment, whatever is appended meanwhile.
    """
    size = ledger.size()
    leaves: list[bytes] = []
    shown: list[tuple[LedgerEntry, bytes]] = []
    withheld: Counter[Withheld] = Counter()
    orders: set[str] = set()
    for row in ledger.rows(0, size):
        leaves.append(leaf_hash_of(row.body))
        entry = read_entry(row.body)
        if not _concerns(entry, directive, orders):
            withheld[Withheld.other_matter] += 1
        elif devices and (entry.subject in devices or names_a_device(entry.body, devices)):
            withheld[Withheld.names_devices] += 1
        else:
            shown.append((entry, row.body))
    tree = Tree(leaves)
    proofs = LedgerProofs(
        tree_head=TreeHead(size=tree.size, root=tree.root().hex()),
        entries=tuple(
            InclusionProof(index=entry.index, path=tuple(part.hex() for part in tree.inclusion(entry.index)))
            for entry, _ in shown
        ),
        withheld=dict(withheld),
    )
    return LedgerExtract(leaves=tuple(leaves), shown=tuple(shown), proofs=proofs)


def _concerns(entry: LedgerEntry, directive: str, orders: set[str]) -> bool:
    """Whether an entry is about this directive alone or about the installation; remembers its orders on the way."""
    named = entry.body.get("directive")
    several = entry.body.get("directives")
    if isinstance(named, str) and named:
        about = named == directive
    elif isinstance(several, list | dict) and several:
        about = set(several) == {directive}
    else:
        about = (
            entry.subject == directive or entry.subject in orders or entry.entry in _COMMON or _signs_an_order(entry)
        )
    if about and entry.entry in _ORDERS:
        orders.add(entry.subject)
    return about


def _signs_an_order(entry: LedgerEntry) -> bool:
    """Whether an entry records the signatures of a standing order, which may be about several directives."""
    return entry.entry is EntryKind.signature and entry.body.get("document") == "proscribe.standing-order"


def tally(directive: str, outcomes: Iterable[DeviceOutcome]) -> Counts:
    """Count outcomes: fleet, departments and classes of device, each sorted by name."""
    departments: dict[str, Counter[Outcome]] = {}
    classes: dict[str, Counter[Outcome]] = {}
    for outcome in outcomes:
        departments.setdefault(outcome.department, Counter())[outcome.outcome] += 1
        classes.setdefault(f"{outcome.system}/{outcome.enrolment}", Counter())[outcome.outcome] += 1
    whole: Counter[Outcome] = Counter()
    for counted in departments.values():
        whole.update(counted)
    return Counts(
        directive=directive,
        fleet=whole.total(),
        by_outcome=_ordered(whole),
        departments=_tallies(departments),
        classes=_tallies(classes),
    )


def _tallies(groups: Mapping[str, Counter[Outcome]]) -> tuple[Tally, ...]:
    return tuple(
        Tally(name=name, devices=counted.total(), by_outcome=_ordered(counted))
        for name, counted in sorted(groups.items())
    )


def _ordered(counted: Mapping[Outcome, int]) -> dict[Outcome, int]:
    return {outcome: counted[outcome] for outcome in Outcome if counted.get(outcome, 0)}


def join_small_departments(outcomes: Sequence[DeviceOutcome], floor: int) -> tuple[DeviceOutcome, ...]:
    """Put departments of fewer than ``floor`` devices together under one name, so that no row speaks of a few people.

    Where those together are still fewer than ``floor``, the next larger department joins them: otherwise the
    difference from the total would give them away. ``floor`` 0 changes nothing.
    """
    sizes = Counter(outcome.department for outcome in outcomes)
    joined: set[str] = set()
    together = 0
    for department, devices in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        if devices >= floor and not 0 < together < floor:
            break
        joined.add(department)
        together += devices
    return tuple(
        replace(outcome, department=SMALL_DEPARTMENTS) if outcome.department in joined else outcome
        for outcome in outcomes
    )


def summarise_exemptions(register: ExemptionRegister, directive: str) -> tuple[ExemptionSummary, ...]:
    """The exemptions under one directive, with counts instead of devices and without any person."""
    return tuple(
        ExemptionSummary(
            id=exemption.id,
            ground=exemption.ground,
            starts=exemption.starts,
            expires=exemption.expires,
            devices=len(exemption.devices),
            mitigations=exemption.mitigations,
        )
        for exemption in register.exemptions
        if exemption.directive == directive
    )


def not_seen(counts: Counts, coverage: tuple[Coverage, ...]) -> NotSeen:
    """What could not be seen or settled, in numbers and in words."""
    open_outcomes = {name: devices for name, devices in counts.by_outcome.items() if not name.compliant}
    blind = tuple(row for row in coverage if row.sees is not Visibility.all_apps or row.blind_to.en)
    statements = tuple(
        Text(f"{row.system}, ", f"{row.system}, ")
        + class_label(row.platform, row.enrolment)
        + Text(f" ({row.devices}): ", f" ({row.devices}) : ")
        + row.blind_to
        for row in blind
        if row.devices and row.blind_to.en
    )
    return NotSeen(coverage=coverage, not_verified=open_outcomes, statements=statements)


def latest_coverage(snapshots: Sequence[SnapshotManifest]) -> tuple[Coverage, ...]:
    """What the sources of the newest snapshot can see, class by class; nothing where there is no snapshot."""
    return snapshots[-1].coverage if snapshots else ()


def history(entries: Iterable[LedgerEntry], directive: str) -> tuple[HistoryPoint, ...]:
    """The outcomes over time, from the ledger's ``outcomes`` entries of one directive (``body["counts"]``)."""
    points: dict[datetime, HistoryPoint] = {}
    for entry in entries:
        counts = entry.body.get("counts")
        if entry.entry is not EntryKind.outcomes or not isinstance(counts, dict):
            continue
        if directive not in (entry.subject, entry.body.get("directive")):
            continue
        known = {Outcome(name): devices for name, devices in counts.items() if name in _OUTCOMES and _is_count(devices)}
        points[entry.at] = HistoryPoint(at=entry.at, by_outcome=known)
    return tuple(points[at] for at in sorted(points))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def pseudonymised(outcomes: Iterable[DeviceOutcome], name: Callable[[str], str]) -> tuple[DeviceOutcome, ...]:
    """Outcomes as a bundle shows them: pseudonyms, no configuration scope, sorted so that order says nothing."""
    return tuple(
        sorted(
            (_under_pseudonym(outcome, name) for outcome in outcomes),
            key=lambda outcome: outcome.device,
        )
    )


def _under_pseudonym(outcome: DeviceOutcome, name: Callable[[str], str]) -> DeviceOutcome:
    shown = name(outcome.device)
    why = outcome.why if shown == outcome.device else veiled(outcome.why, (outcome.device,), name)
    return replace(outcome, device=shown, why=why, scope="")
