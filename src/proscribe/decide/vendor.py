"""Whether the vendor was heard: notice, due date, reply, an answer to each claim; or a waiver with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from proscribe.decide.evidence import DISPUTED
from proscribe.decide.missing import Missing, flaw, written
from proscribe.decide.model import ClaimStatus, EvidenceRegister, VendorRecord


def flaws(record: VendorRecord, register: EvidenceRegister | None, on: date) -> tuple[Missing, ...]:
    """What is wrong with a record on a day; an open window is nothing wrong."""
    found = [*written("vendor.vendor", record.vendor), *_waiver(record, on)]
    if record.waiver is None or record.notice_sent is not None:
        found += [*_notice(record, on), *_reply(record, on), *_responses(record, register)]
    return tuple(found)


def still_open(record: VendorRecord, on: date) -> bool:
    """Whether a reply may still come in time."""
    waiting = record.notice_sent is not None and record.reply_received is None
    return record.waiver is None and waiting and (record.reply_due is None or on <= record.reply_due)


def unheard(record: VendorRecord, register: EvidenceRegister | None, on: date) -> tuple[Missing, ...]:
    """What keeps a decision from resting on this record: its flaws, an open window, claims without an answer."""
    found = list(flaws(record, register, on))
    if still_open(record, on):
        due = record.reply_due.isoformat() if record.reply_due else "?"
        found.append(
            flaw(
                "vendor.reply",
                (f"the vendor may still reply until {due}", f"le fournisseur peut encore répondre jusqu'au {due}"),
                (
                    "Wait for the reply or for that day to pass; what cannot wait takes the interim track.",
                    "Attendez la réponse, ou que ce jour soit passé; ce qui ne peut attendre suit la voie provisoire.",
                ),
            )
        )
    if record.reply_received is not None and register is not None:
        answered = {response.claim for response in record.responses}
        found += [
            flaw(
                f"vendor.responses.{claim.id}",
                (
                    "the vendor contests this claim, and it has no answer",
                    "le fournisseur conteste cette affirmation, sans réponse de notre part",
                ),
                (
                    "Say what the vendor says of it, what we answer, and whether that changed anything.",
                    "Dites ce qu'en dit le fournisseur, ce que nous répondons et si cela a changé quelque chose.",
                ),
            )
            for claim in register.claims
            if claim.status in DISPUTED and claim.id not in answered
        ]
    return tuple(found)


def unseen(record: VendorRecord, register: EvidenceRegister | None, then: EvidenceRegister | None) -> Iterator[Missing]:
    """Claims that came into the register after the notice and could have been shown to the vendor."""
    if record.waiver is not None or register is None or then is None:
        return
    shown = {claim.id for claim in then.claims}
    public = {claim for item in register.items if item.public for claim in item.supports}
    for claim in register.claims:
        if claim.id not in shown and claim.id in public and claim.status is not ClaimStatus.withdrawn:
            yield flaw(
                f"vendor.claims.{claim.id}",
                (
                    "this claim came after the notice, and the vendor was not asked about it",
                    "cette affirmation est postérieure à l'avis, et le fournisseur n'a pas été consulté à ce sujet",
                ),
                (
                    "Write to the vendor again and take stage 'vendor' anew; or withdraw it.",
                    "Écrivez au fournisseur, puis franchissez de nouveau «\u00a0vendor\u00a0»; ou retirez-la.",
                ),
            )


def _waiver(record: VendorRecord, on: date) -> Iterator[Missing]:
    if record.waiver is None:
        return
    yield from written("vendor.waiver.reason", record.waiver.reason)
    if not record.waiver.by.strip():
        yield flaw(
            "vendor.waiver.by",
            ("it is not said which role waived it", "le rôle qui a accordé la dispense n'est pas indiqué"),
            ("Name the role.", "Nommez le rôle."),
        )
    if record.waiver.on > on:
        yield _future("vendor.waiver.on")


def _notice(record: VendorRecord, on: date) -> Iterator[Missing]:
    for field, en, fr in (
        (
            "notice_sent",
            "no notice was sent, and nobody waived it",
            "aucun avis n'a été envoyé, et aucune dispense n'a été accordée",
        ),
        ("notice", "the text that was sent is not kept", "le texte envoyé n'est pas conservé"),
        ("reply_due", "no day is set for the reply", "aucun jour n'est fixé pour la réponse"),
    ):
        if getattr(record, field) is None:
            yield flaw(
                f"vendor.{field}",
                (en, fr),
                (
                    "Send the notice, keep its digest and set a day; or write a waiver with its reason.",
                    "Envoyez l'avis, conservez son empreinte et fixez un jour; ou rédigez une dispense motivée.",
                ),
            )
    if record.notice_sent is not None and record.notice_sent > on:
        yield _future("vendor.notice_sent")
    if record.notice_sent is not None and record.reply_due is not None and record.reply_due <= record.notice_sent:
        yield flaw(
            "vendor.reply_due",
            ("it leaves no time to reply", "elle ne laisse pas le temps de répondre"),
            ("Set a day after the notice.", "Fixez un jour postérieur à l'avis."),
        )


def _reply(record: VendorRecord, on: date) -> Iterator[Missing]:
    if record.reply_received is None:
        return
    if record.reply is None:
        yield flaw(
            "vendor.reply",
            ("the reply itself is not kept", "la réponse elle-même n'est pas conservée"),
            ("Keep its digest.", "Conservez son empreinte."),
        )
    if record.reply_received > on:
        yield _future("vendor.reply_received")
    if record.notice_sent is not None and record.reply_received < record.notice_sent:
        yield flaw(
            "vendor.reply_received",
            ("it is before the notice", "elle précède l'avis"),
            ("Correct one of the two days.", "Corrigez l'un des deux jours."),
        )


def _responses(record: VendorRecord, register: EvidenceRegister | None) -> Iterator[Missing]:
    known = {claim.id for claim in register.claims} if register else None
    for response in record.responses:
        place = f"vendor.responses.{response.claim}"
        yield from written(f"{place}.vendor_says", response.vendor_says)
        yield from written(f"{place}.answer", response.answer)
        if known is not None and response.claim not in known:
            yield flaw(
                place,
                ("the register has no such claim", "le registre n'a pas d'affirmation de ce nom"),
                (
                    "Name a claim of the evidence register.",
                    "Nommez une affirmation du registre des éléments de preuve.",
                ),
            )


def _future(name: str) -> Missing:
    return flaw(name, ("it lies in the future", "la date est dans l'avenir"), ("Correct the day.", "Corrigez la date."))
