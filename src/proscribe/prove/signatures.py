"""The signatures in a bundle: what goes in, and what anybody can check of them without this installation.

Every key list that was accepted is there, from the first one on, each signed; the envelopes of directive, target set
and standing order; and what was found when each was recorded. The ledger names all of them, so that none can be left
out, and the moment of each, so that no key is judged for another time than its own. An envelope that names devices (of
a plan, of an exemption) stays with its owner: what was found of it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from proscribe.canonical import Digest
from proscribe.documents import digest
from proscribe.errors import ProscribeError
from proscribe.prove import members as names
from proscribe.prove.model import Check, CheckState, EntryKind, LedgerEntry, SignatureList
from proscribe.text import COLON, Text
from proscribe.trust.model import KeyList, SignedDocument, Storage, Verification, Weight
from proscribe.trust.words import STORAGES

if TYPE_CHECKING:
    from proscribe.prove.checks import Proof

SHOWN = ("proscribe.directive", "proscribe.target-set", "proscribe.standing-order")
"""Kinds of document whose envelopes name no device, and are in the bundle."""

NOW = timedelta(0)
AT_ONCE = timedelta(minutes=1)
"""Between judging the keys and the entry in the ledger: no signature is backdated to when its key was good."""


@dataclass(frozen=True)
class SignatureInputs:
    """What is signed, for a bundle. Key lists of one issuer run from the first to the newest."""

    key_lists: Sequence[SignedDocument] = ()
    signed: Sequence[SignedDocument] = ()
    verifications: Sequence[Verification] = ()

    @property
    def members(self) -> Iterator[tuple[str, SignedDocument | SignatureList]]:
        """The members of the bundle; none where nothing is signed."""
        if not self.key_lists:
            return
        for at, one in enumerate(self.key_lists, start=1):
            yield names.KEY_LIST.format(at), one
        for at, one in enumerate(self.signed, start=1):
            yield names.SIGNED.format(at), one
        yield names.VERIFIED, SignatureList(tuple(self.verifications))


@dataclass(frozen=True)
class _Recorded:
    """What the ledger says of key lists and signatures, by digest."""

    key_lists: Mapping[str, LedgerEntry]
    signatures: Mapping[str, LedgerEntry]  # by the digest of the verification

    @classmethod
    def of(cls, proof: Proof) -> _Recorded:
        lists: dict[str, LedgerEntry] = {}
        signatures: dict[str, LedgerEntry] = {}
        for entry, _ in proof.entries:
            if entry.entry is EntryKind.key_list:
                lists.setdefault(str(entry.body.get("digest")), entry)
            elif entry.entry is EntryKind.signature:
                signatures[str(entry.body.get("verification"))] = entry
        return cls(lists, signatures)


class _Findings:
    """Collects checks of one name."""

    def __init__(self) -> None:
        self.found: list[Check] = []

    def add(self, state: CheckState, member: str, what: Text) -> None:
        self.found.append(Check("signatures", state, member, what))

    def wrong(self, member: str, en: str, fr: str) -> None:
        self.add(CheckState.failed, member, Text(en, fr))


def check_signatures(proof: Proof, key_list: Digest | None = None) -> Iterator[Check]:
    """Everything that can be said of signatures. ``key_list``: the digest of a list the reader trusts already."""
    report = _Findings()
    recorded = _Recorded.of(proof)
    if not proof.key_lists:
        _unsigned(report, recorded, key_list)
    else:
        lists, before = _key_lists(report, proof, recorded)
        _pinned(report, lists, before, key_list)
        _documents(report, proof, recorded, lists, _vouched(lists, before, key_list))
    yield from report.found


def _unsigned(report: _Findings, recorded: _Recorded, key_list: Digest | None) -> None:
    if recorded.key_lists or key_list is not None:
        report.wrong(
            names.MANIFEST,
            "the signatures are missing: there is a key list, and none of it is here",
            "les signatures manquent\u00a0: il existe une liste de clés, et rien n'en figure ici",
        )
        return
    report.add(
        CheckState.limited,
        names.DIRECTIVE,
        Text(
            "unsigned: no key list was in use, so who approved rests on the organisation's word",
            "sans signature\u00a0: aucune liste de clés n'était en usage; seule la parole de l'organisation dit qui a "
            "approuvé",
        ),
    )


# --- key lists


def _key_lists(
    report: _Findings, proof: Proof, recorded: _Recorded
) -> tuple[dict[Digest, KeyList], dict[Digest, Digest]]:
    """The key lists that hold: each accepted at the moment the ledger gives, each following its issuer's before.

    And of each that its predecessor named, which that was.
    """
    from proscribe.trust import keylist

    lists: dict[Digest, KeyList] = {}
    newest: dict[str, KeyList] = {}  # by issuer: the organisation itself, or a feed
    named_by: dict[Digest, Digest] = {}
    for at, signed in enumerate(proof.key_lists, start=1):
        member = names.KEY_LIST.format(at)
        entry = recorded.key_lists.get(signed.of)
        if entry is None or signed.of != proof.manifest.key_lists[at - 1]:
            report.wrong(member, "the ledger does not record it", "le registre ne le consigne pas")
            continue
        try:
            before = newest.get(entry.subject)
            if before is not None and entry.body.get("by") == "succession":
                found = keylist.successor(before, signed, at=entry.at)
                named_by[signed.of] = digest(before)
            else:
                found = keylist.first(signed, pin=signed.of, at=entry.at)
        except ProscribeError as error:
            report.add(CheckState.failed, member, error.what)
            continue
        lists[signed.of] = newest[entry.subject] = found
    lacking = sorted(set(recorded.key_lists) - set(lists))
    if lacking and not report.found:
        report.wrong(
            names.MANIFEST,
            f"key list {lacking[0]}, which the ledger records, is missing",
            f"la liste de clés {lacking[0]}, que le registre consigne, manque",
        )
    return lists, named_by


def _vouched(
    lists: Mapping[Digest, KeyList], named_by: Mapping[Digest, Digest], key_list: Digest | None
) -> frozenset[Digest]:
    """The lists that the reader's digest speaks for: that one and those it leads to; without a digest all of them.

    Not those before it. Anybody can draw up a list, sign a genuine one with it as well, and call that a succession.
    """
    if key_list is None:
        return frozenset(lists)
    found = {key_list}
    for one in lists:  # in the order in which they were accepted
        if named_by.get(one) in found:
            found.add(one)
    return frozenset(found)


def _pinned(
    report: _Findings,
    lists: Mapping[Digest, KeyList],
    named_by: Mapping[Digest, Digest],
    key_list: Digest | None,
) -> None:
    newest = names.KEY_LIST.format(max(1, len(lists)))
    if key_list is None:
        known = ", ".join(one for one in lists if one not in named_by)
        report.add(
            CheckState.limited,
            newest,
            Text(
                f"whose keys these are, no file can say of itself: compare {known} with a digest you got by another "
                "way (--key-list)",
                f"à qui sont ces clés, aucun fichier ne peut le dire de lui-même\u00a0: comparez {known} avec une "
                "empreinte obtenue par une autre voie (--key-list)",
            ),
        )
    elif key_list not in lists:
        report.wrong(
            newest,
            f"none of the key lists is {key_list}",
            f"aucune des listes de clés n'est {key_list}",
        )
    else:
        report.add(
            CheckState.passed,
            newest,
            Text(
                f"key lists: {len(lists)}, each signed and following the one before; {key_list} is among them",
                f"listes de clés\u00a0: {len(lists)}, chacune signée et suivant la précédente; {key_list} en fait "
                "partie",
            ),
        )


# --- documents


def _documents(
    report: _Findings,
    proof: Proof,
    recorded: _Recorded,
    lists: Mapping[Digest, KeyList],
    vouched: frozenset[Digest],
) -> None:
    """Every signature that was recorded holds; directive and target set have some, or it is said.

    ``vouched``: the key lists that the reader trusts.
    """
    found = proof.signatures.verifications if proof.signatures else ()
    envelopes = {digest(one): (at, one) for at, one in enumerate(proof.signed, start=1)}
    if len(envelopes) != len(proof.signed) or tuple(one.of for one in proof.signed) != proof.manifest.signed:
        report.wrong(names.MANIFEST, "it names other signed documents", "il nomme d'autres documents signés")
    good: set[Digest] = set()
    for verification in found:
        if not _anchored(report, verification, recorded):
            continue
        if verification.key_list in lists and verification.key_list not in vouched:
            _others_keys(report, verification)
            continue
        if verification.of_kind not in SHOWN:
            _kept_back(report, verification)
            continue
        at, signed = envelopes.get(verification.envelope or verification.of, (0, None))
        if signed is None or signed.of != verification.of:
            report.wrong(names.VERIFIED, "an envelope it names is missing", "une enveloppe qu'il nomme manque")
        elif _holds(report, names.SIGNED.format(at), signed, verification, lists):
            good.add(verification.of)
    if set(envelopes) - {one.envelope for one in found}:
        report.wrong(
            names.VERIFIED,
            "an envelope is here of which nothing was recorded",
            "une enveloppe figure ici sans que rien n'en ait été consigné",
        )
    _complete(report, proof, recorded, good)


def _complete(report: _Findings, proof: Proof, recorded: _Recorded, good: set[Digest]) -> None:
    """Nothing that the ledger records of directive and target set is left out; what is unsigned is said."""
    wanted = {proof.manifest.directive_digest: names.DIRECTIVE, proof.manifest.targets_digest: names.TARGETS}
    known = {str(digest(one)) for one in proof.signatures.verifications} if proof.signatures else set()
    for name, entry in recorded.signatures.items():
        about = Digest(str(entry.body.get("digest")))
        if about in wanted and name not in known:
            report.wrong(
                wanted[about],
                f"entry {entry.index} of the ledger records signatures that are not here",
                f"l'entrée {entry.index} du registre consigne des signatures qui ne figurent pas ici",
            )
    for of, member in wanted.items():
        if of not in good:
            report.add(
                CheckState.limited,
                member,
                Text("no signatures that count stand under it", "aucune signature qui compte n'y est apposée"),
            )


def _anchored(report: _Findings, verification: Verification, recorded: _Recorded) -> bool:
    """Whether the ledger names what was found, at the moment for which the keys were judged."""
    entry = recorded.signatures.get(digest(verification))
    late = None if entry is None else entry.at - verification.at
    if entry is None or late is None or not NOW <= late <= AT_ONCE or entry.body.get("digest") != verification.of:
        report.wrong(
            names.VERIFIED,
            f"the ledger does not record these signatures of {verification.of_kind}",
            f"le registre ne consigne pas ces signatures de {verification.of_kind}",
        )
        return False
    return True


def _others_keys(report: _Findings, verification: Verification) -> None:
    report.add(
        CheckState.limited,
        names.VERIFIED,
        Text(
            f"{verification.of_kind}: judged by key list {verification.key_list}, which does not follow from the one "
            "you trust; verify again with the digest of that one if you trust it too",
            f"{verification.of_kind}\u00a0: jugé selon la liste de clés {verification.key_list}, qui ne découle pas de "
            "celle à laquelle vous vous fiez; vérifiez de nouveau avec l'empreinte de celle-là si vous vous y fiez "
            "aussi",
        ),
    )


def _kept_back(report: _Findings, verification: Verification) -> None:
    said = _seats(verification)
    report.add(
        CheckState.limited,
        names.VERIFIED,
        Text(
            f"{verification.of_kind}: {said.en}; the envelope names devices and stays with its owner",
            f"{verification.of_kind}\u00a0: {said.fr}; l'enveloppe nomme des appareils et reste chez son propriétaire",
        ),
    )


def _holds(
    report: _Findings,
    member: str,
    signed: SignedDocument,
    verification: Verification,
    lists: Mapping[Digest, KeyList],
) -> bool:
    """Check the envelope again: at its moment it must give what was recorded; today's revocations may void it."""
    from proscribe.trust import keylist
    from proscribe.trust.errors import SignatureRefused
    from proscribe.trust.verify import verify

    keys = lists.get(verification.key_list)
    if keys is None:
        report.wrong(member, "its key list is not here", "sa liste de clés ne figure pas ici")
        return False
    try:
        again = verify(signed, keys, at=verification.at)
    except ProscribeError as error:
        report.add(CheckState.failed, member, error.what)
        return False
    if again != verification:
        report.wrong(
            names.VERIFIED, "the signatures give something else", "les signatures donnent autre chose que ce qu'il dit"
        )
        return False
    try:
        verify(signed, keylist.with_revocations(keys, lists.values()), at=verification.at)
    except SignatureRefused as refusal:
        report.add(
            CheckState.limited,
            member,
            Text(
                f"it was signed, and counts no more: {refusal.what.en}",
                f"signé, mais ne compte plus\u00a0: {refusal.what.fr}",
            ),
        )
        return False
    _strength(report, member, again)
    return True


def _strength(report: _Findings, member: str, verification: Verification) -> None:
    """Signed by whom, with which kind of key. Where a seat that is needed rests on a weaker kind, that is a limit."""
    strong = [
        one for one in verification.signatures if one.weight is Weight.counted and one.storage is Storage.hardware
    ]
    state = CheckState.passed if len({one.holder for one in strong}) >= verification.threshold else CheckState.limited
    kind = verification.of_kind.removeprefix("proscribe.")
    report.add(state, member, Text(kind, kind) + COLON + Text(" ", " ") + _seats(verification))


def _seats(verification: Verification) -> Text:
    counted = sorted(
        (one for one in verification.signatures if one.weight is Weight.counted), key=lambda one: one.holder
    )
    named = [
        (one.holder, one.scheme.value if one.scheme else "?", STORAGES[one.storage or Storage.plain_file])
        for one in counted
    ]
    en = ", ".join(f"{holder} [{scheme}, {where.en}]" for holder, scheme, where in named)
    fr = ", ".join(f"{holder} [{scheme}, {where.fr}]" for holder, scheme, where in named)
    number = len(verification.holders)
    return Text(
        f"signed by {en}: {number} of {verification.threshold} seats",
        f"signatures de {fr} (sièges\u00a0: {number} sur {verification.threshold})",
    )
