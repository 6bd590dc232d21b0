"""What contradicts what in the papers of one department: its counts, what it declared, its earlier word, its proof.

Each check looks at one promise, and says in words what does not fit. The counts of the newest attestation are held to
account: who miscounted and says so in the next one is consistent again. What the ledger says is in ``lineage``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from proscribe.clock import utc
from proscribe.enforce.model import Outcome
from proscribe.feed.model import Attestation
from proscribe.feed.papers import Papers, Terms
from proscribe.feed.smallcells import OTHER
from proscribe.text import Text, devices, number

Check = Callable[[Papers, Terms], Iterator[Text]]


def contradictions(papers: Papers, terms: Terms) -> tuple[Text, ...]:
    """Everything that does not fit, each in one sentence."""
    return tuple(text for check in CHECKS for text in check(papers, terms))


def _adds_up(papers: Papers, _: Terms) -> Iterator[Text]:
    """Outcomes to devices, classes to the whole, grounds to the exempt."""
    one = papers.newest
    if one is None:
        return
    counted = sum(one.by_outcome.values()) + one.together
    if counted != one.devices:
        yield Text(
            f"the outcomes add up to {number(counted).en}, not to {devices(one.devices).en}",
            f"la somme des résultats est de {number(counted).fr}; le total déclaré, de {devices(one.devices).fr}",
        )
    listed = sum(each.devices for each in one.classes)
    if listed != one.devices:
        yield Text(
            f"the classes add up to {number(listed).en}, not to {devices(one.devices).en}",
            f"la somme des catégories est de {number(listed).fr}; le total déclaré, de {devices(one.devices).fr}",
        )
    for each in one.classes:
        if sum(each.by_outcome.values()) + each.together != each.devices:
            yield Text(
                f"the outcomes of the class {each.name} do not add up to its devices",
                f"la somme des résultats de la catégorie {each.name} ne donne pas ses appareils",
            )


def _classes_fit_the_whole(papers: Papers, _: Terms) -> Iterator[Text]:
    """An outcome is counted apart in all classes or in none, so that its classes add up."""
    one = papers.newest
    if one is None:
        return
    for outcome in sorted({outcome for each in one.classes for outcome in each.by_outcome}):
        listed = sum(each.by_outcome.get(outcome, 0) for each in one.classes)
        if listed != one.by_outcome.get(outcome, 0):
            yield Text(
                f"{outcome.value} is {number(one.by_outcome.get(outcome, 0)).en} in all and {number(listed).en} "
                "over the classes",
                f"{outcome.value} compte {number(one.by_outcome.get(outcome, 0)).fr} en tout et {number(listed).fr} "
                "selon les catégories",
            )


def _floor_is_kept(papers: Papers, _: Terms) -> Iterator[Text]:
    one = papers.newest
    if one is None:
        return
    figures = [
        *one.by_outcome.values(),
        one.together,
        *one.exemptions.values(),
        *(figure for each in one.classes for figure in (each.devices, each.together, *each.by_outcome.values())),
    ]
    if any(figure < 0 for figure in (one.devices, *figures)):
        yield Text("a count is negative", "un nombre est négatif")
    # A whole fleet below the floor is all there is to show, and shows nobody.
    if any(0 < figure < min(one.small_cell_floor, one.devices) for figure in figures):
        yield Text(
            f"a count is below its own floor of {devices(one.small_cell_floor).en}",
            f"un nombre est inférieur à son propre seuil de {devices(one.small_cell_floor).fr}",
        )


def _fewer_than_declared(papers: Papers, _: Terms) -> Iterator[Text]:
    one = papers.newest
    declared = papers.declared_before(one) if one is not None else None
    if one is None or declared is None:
        return
    fleets = sum(fleet.devices or 0 for fleet in declared.fleets)
    if one.devices < fleets:
        yield Text(
            f"it attests to {devices(one.devices).en} and declared {number(fleets).en}",
            f"il atteste {devices(one.devices).fr} et en avait déclaré {number(fleets).fr}",
        )
    left = one.unmanaged or 0
    taken_in = max(0, one.devices - fleets)
    if (declared.unmanaged or 0) - left > taken_in:
        yield Text(
            f"of {number(declared.unmanaged or 0).en} unmanaged devices declared {number(left).en} are left, and the "
            "fleet did not grow by the others",
            f"des {number(declared.unmanaged or 0).fr} appareils non gérés déclarés, il en reste {number(left).fr}, et "
            "le parc ne s'est pas accru des autres",
        )


def _numbers_without_gap(papers: Papers, _: Terms) -> Iterator[Text]:
    numbers = sorted(received.document.number for received in papers.attestations)
    wanted = list(range(1, len(numbers) + 1))
    if numbers == wanted:
        return
    missing = [str(one) for one in range(1, max(numbers) + 1) if one not in numbers]
    if missing:
        yield Text(
            f"attestation {', '.join(missing)} never came", f"l'attestation {', '.join(missing)} n'est jamais arrivée"
        )
    for one in sorted({one for one in numbers if numbers.count(one) > 1}):
        yield Text(f"two attestations have the number {one}", f"deux attestations portent le numéro {one}")
    if min(numbers) < 1:
        yield Text("an attestation has a number below 1", "une attestation porte un numéro inférieur à 1")


def _dates_in_order(papers: Papers, _: Terms) -> Iterator[Text]:
    dated = [
        *((one.document.at, one.at) for one in papers.acknowledgements),
        *((one.document.at, one.at) for one in papers.attestations),
    ]
    if any(utc(said) > utc(came) for said, came in dated):
        yield Text(
            "a document is dated after the moment it came in", "un document porte une date postérieure à sa réception"
        )
    by_number = sorted((received.document for received in papers.attestations), key=lambda one: one.number)
    for earlier, later in pairwise(by_number):
        if later.number > earlier.number and utc(later.at) < utc(earlier.at):
            yield Text(
                f"attestation {later.number} is dated before attestation {earlier.number}",
                f"l'attestation {later.number} porte une date antérieure à celle de l'attestation {earlier.number}",
            )


def _one_proof_one_count(papers: Papers, _: Terms) -> Iterator[Text]:
    """Two attestations that rest on the same proof, or on the same entries, must count the same."""
    one = papers.newest
    for received in papers.attestations:
        other = received.document
        if one is None or other.number == one.number or _counts(other) == _counts(one):
            continue
        if other.proof == one.proof or other.tree_head.root == one.tree_head.root:
            yield Text(
                f"attestations {other.number} and {one.number} count differently on the same ground",
                f"les attestations {other.number} et {one.number} donnent des nombres différents sur la même base",
            )


def _counts(one: Attestation) -> object:
    return (one.directive_digest, one.devices, one.by_outcome, one.together, one.small_cell_floor)


def _fits_the_proof(papers: Papers, _: Terms) -> Iterator[Text]:
    return against_proofs(papers)


def against_proofs(papers: Papers) -> Iterator[Text]:
    """The proof that the newest attestation names, where it was handed over; and what was wrong with any proof."""
    for proof in papers.proofs:
        yield from proof.wrong
    one = papers.newest
    for proof in papers.proofs:
        if one is None or proof.manifest != one.proof:
            continue
        if proof.fleet != one.devices:
            yield Text(
                f"its proof is about {devices(proof.fleet).en}, not {number(one.devices).en}",
                f"sa preuve porte sur {devices(proof.fleet).fr} et non {number(one.devices).fr}",
            )
        for outcome, count in one.by_outcome.items():
            if proof.outcomes.get(outcome.value, 0) != count:
                yield Text(
                    f"its proof has {number(proof.outcomes.get(outcome.value, 0)).en} {outcome.value}, not "
                    f"{number(count).en}",
                    f"sa preuve compte {number(proof.outcomes.get(outcome.value, 0)).fr} {outcome.value} et non "
                    f"{number(count).fr}",
                )
        if proof.tree_head.size > one.tree_head.size:
            yield Text(
                "its proof shows more entries of the ledger than it attests to",
                "sa preuve montre plus d'entrées du registre qu'elle n'en atteste",
            )


def _exemptions_in_order(papers: Papers, terms: Terms) -> Iterator[Text]:
    one = papers.newest
    if one is None:
        return
    exempt = one.by_outcome.get(Outcome.exempt, 0)
    if sum(one.exemptions.values()) != exempt:
        yield Text(
            f"the grounds add up to {number(sum(one.exemptions.values())).en} of {number(exempt).en} exempt devices",
            f"la somme des motifs donne {number(sum(one.exemptions.values())).fr} des {number(exempt).fr} appareils "
            "exemptés",
        )
    allowed = {word.strip().casefold() for ground in terms.grounds for word in (ground.en, ground.fr)}
    for ground in sorted(one.exemptions):
        if allowed and ground != OTHER and ground.strip().casefold() not in allowed:
            yield Text(
                f"“{ground}” is not a ground of the directive",
                f"«\u00a0{ground}\u00a0» n'est pas un motif prévu par la directive",
            )
    if papers.reported_exempt is not None and exempt > papers.reported_exempt:
        yield Text(
            f"{devices(exempt).en} exempt; the exemptions it reported cover {number(papers.reported_exempt).en}",
            f"{devices(exempt).fr} exemptés; les exemptions signalées en visent {number(papers.reported_exempt).fr}",
        )


def _answers_hold(papers: Papers, _: Terms) -> Iterator[Text]:
    for result in papers.results:
        for wrong in result.wrong[:1]:
            yield Text("the re-check failed: ", "la revérification a échoué\u00a0: ") + wrong


CHECKS: tuple[Check, ...] = (
    _adds_up,
    _classes_fit_the_whole,
    _floor_is_kept,
    _fewer_than_declared,
    _numbers_without_gap,
    _dates_in_order,
    _one_proof_one_count,
    _fits_the_proof,
    _exemptions_in_order,
    _answers_hold,
)
