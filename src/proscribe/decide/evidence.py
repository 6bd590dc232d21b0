"""Rules of the evidence register: every claim is supported, both sides are kept, nothing is dropped silently."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from proscribe.decide.missing import Missing, blank, flaw, written
from proscribe.decide.model import Claim, ClaimStatus, EvidenceItem, EvidenceKind, EvidenceRegister
from proscribe.text import Text

DISPUTED = (ClaimStatus.contested, ClaimStatus.upheld)
_GUARDED = re.compile(
    r"\b(protected|prot[eé]g[eé]e?|secr[eè]te?|confidenti(al|el(le)?)|restricted|diffusion restreinte"
    r"|(tlp\W*)?(red|amber|green))\b"
)
"""Words that no public item is marked with, in either language and wherever they stand in the marking."""


def flaws(
    register: EvidenceRegister, *, at: datetime, previous: EvidenceRegister | None = None, partner: bool = False
) -> tuple[Missing, ...]:
    """What is wrong with a register at a moment, beside the version before it. ``partner``: it rests on a partner's."""
    found = [*_whole(register), *_items(register, at), *_claims(register), *_since(register, previous)]
    if partner and not any(item.kind is EvidenceKind.partner for item in register.items):
        found.append(
            flaw(
                "evidence.items",
                ("no item says on the strength of whose notice", "aucun élément ne dit sur la foi de quel avis"),
                (
                    "Add an item of kind 'partner' with what was received, and say what it does not show.",
                    "Ajoutez un élément de type «\u00a0partner\u00a0» pour l'envoi, et dites ce qu'il ne montre pas.",
                ),
            )
        )
    return tuple(found)


def _whole(register: EvidenceRegister) -> Iterator[Missing]:
    for name, values in (("items", register.items), ("claims", register.claims)):
        if not values:
            yield flaw(
                f"evidence.{name}",
                ("there are none", "la liste est vide"),
                (
                    "A decision says what it claims, and rests each claim on something that can be shown.",
                    "Une décision dit ce qu'elle avance; chaque affirmation repose sur un élément qu'on peut montrer.",
                ),
            )
        for twice, count in Counter(value.id for value in values).items():
            if count > 1:
                yield flaw(
                    f"evidence.{name}.{twice}",
                    ("this id is there twice", "cet identifiant figure deux fois"),
                    ("Give each an id of its own.", "Donnez à chacun son propre identifiant."),
                )


def _items(register: EvidenceRegister, at: datetime) -> Iterator[Missing]:
    known = {claim.id for claim in register.claims}
    for item in register.items:
        place = f"evidence.items.{item.id}"
        yield from written(f"{place}.title", item.title)
        yield from written(f"{place}.does_not_show", item.does_not_show)
        yield from _origin(place, item, at)
        astray = [claim for claim in item.supports if claim not in known]
        if astray:
            names = ", ".join(astray)
            yield flaw(
                f"{place}.supports",
                (f"there is no claim {names}", f"il n'y a pas d'affirmation {names}"),
                ("Name claims of this register.", "Nommez des affirmations du présent registre."),
            )


def _origin(place: str, item: EvidenceItem, at: datetime) -> Iterator[Missing]:
    for field in ("source", "collected_by", "marking"):
        if not getattr(item, field).strip():
            yield flaw(
                f"{place}.{field}",
                ("it is not said", "ce n'est pas indiqué"),
                (
                    "Say where it comes from, which role collected it, and its marking.",
                    "Indiquez sa provenance, le rôle qui l'a recueilli et son marquage.",
                ),
            )
    if item.collected_at > at:
        yield flaw(
            f"{place}.collected_at",
            ("it lies in the future", "la date est dans l'avenir"),
            ("Give the moment it was collected.", "Indiquez le moment de la collecte."),
        )
    if item.public and _guarded(item.marking):
        yield flaw(
            f"{place}.public",
            (f"it is marked {item.marking} and said to be public", f"il est marqué {item.marking} et dit public"),
            ("Correct one of the two.", "Corrigez l'un des deux."),
        )


def _claims(register: EvidenceRegister) -> Iterator[Missing]:
    supported = {claim for item in register.items for claim in item.supports}
    for claim in register.claims:
        place = f"evidence.claims.{claim.id}"
        yield from written(f"{place}.text", claim.text)
        if claim.id not in supported and claim.status is not ClaimStatus.withdrawn:
            yield flaw(
                place,
                ("nothing supports this claim", "rien n'appuie cette affirmation"),
                (
                    "Name it under 'supports' of an item, or withdraw it.",
                    "Nommez-la sous «\u00a0supports\u00a0» d'un élément, ou retirez-la.",
                ),
            )
        if claim.status in DISPUTED and blank(claim.reply):
            yield flaw(
                f"{place}.reply",
                (
                    "the claim is contested, and the other side is not there",
                    "l'affirmation est contestée, et l'autre partie n'est pas citée",
                ),
                ("Put the reply beside it, in both languages.", "Placez la réponse en regard, dans les deux langues."),
            )
        if claim.status is ClaimStatus.upheld and blank(claim.weighed):
            yield flaw(
                f"{place}.weighed",
                ("it is not said how the reply was weighed", "il n'est pas dit comment la réponse a été examinée"),
                ("Say it, in both languages.", "Dites-le, dans les deux langues."),
            )


def _guarded(marking: str) -> bool:
    """Whether a marking keeps an item from the public; 'unclassified' and 'TLP:CLEAR' do not."""
    return _GUARDED.search(unicodedata.normalize("NFKC", marking).casefold()) is not None


_UNCHANGED = ("kind", "source", "collected_by", "collected_at", "digest", "marking", "does_not_show")


def _since(register: EvidenceRegister, previous: EvidenceRegister | None) -> Iterator[Missing]:
    expected = previous.version + 1 if previous else 1
    if previous == register:
        return
    if register.version != expected:
        yield flaw(
            "evidence.version",
            (
                f"it is version {register.version}, not {expected}",
                f"c'est la version {register.version} et non {expected}",
            ),
            ("Number the versions one by one.", "Numérotez les versions une à une."),
        )
    if previous is None:
        return
    items = {item.id: item for item in register.items}
    for old in previous.items:
        new = items.get(old.id)
        if new is None:
            yield _dropped(f"evidence.items.{old.id}")
        else:
            for field in _UNCHANGED:
                if getattr(new, field) != getattr(old, field):
                    yield flaw(
                        f"evidence.items.{old.id}.{field}",
                        ("it differs from the version before", "il diffère de la version précédente"),
                        (
                            "Leave the item as it was collected, and add another.",
                            "Laissez l'élément tel que recueilli et ajoutez-en un autre.",
                        ),
                    )
    claims = {claim.id: claim for claim in register.claims}
    for before in previous.claims:
        after = claims.get(before.id)
        if after is None:
            yield _dropped(f"evidence.claims.{before.id}")
        else:
            yield from _claim_since(before, after)


def _claim_since(before: Claim, after: Claim) -> Iterator[Missing]:
    place = f"evidence.claims.{after.id}"
    if after.text != before.text:
        yield flaw(
            f"{place}.text",
            ("its words differ from the version before", "ses mots diffèrent de la version précédente"),
            ("Withdraw the claim and add another.", "Retirez l'affirmation et ajoutez-en une autre."),
        )
    if before.reply is not None and after.reply is None:
        yield flaw(
            f"{place}.reply",
            ("the other side was there and is gone", "l'autre partie y figurait et n'y est plus"),
            ("Put the reply back.", "Rétablissez la réponse."),
        )
    if before.status in DISPUTED and after.status is ClaimStatus.asserted:
        yield flaw(
            f"{place}.status",
            ("the claim was contested and no longer says so", "l'affirmation était contestée et ne le dit plus"),
            (
                "Write 'upheld' and how the reply was weighed, or withdraw it.",
                "Écrivez «\u00a0upheld\u00a0» et dites comment la réponse a été examinée, ou retirez-la.",
            ),
        )


def _dropped(name: str) -> Missing:
    return Missing(
        name,
        Text("it was in the version before and is gone", "il figurait dans la version précédente et n'y est plus"),
        Text(
            "Keep it; a claim that no longer stands is withdrawn, not taken out.",
            "Conservez-le; une affirmation qui ne tient plus est retirée, et non effacée.",
        ),
    )
