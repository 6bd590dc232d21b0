"""What is refused in an evidence register and in a vendor record, each by its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.decide.conftest import OPENED, contested, notified, register, said, waived

from proscribe.decide import evidence, vendor
from proscribe.decide.missing import blank
from proscribe.decide.model import Claim, ClaimResponse, ClaimStatus, EvidenceItem, EvidenceKind, EvidenceRegister
from proscribe.text import Text

DAY = OPENED.date()
ITEM = register().items[0]
CLAIM = register().claims[0]


def with_item(**changes: Any) -> EvidenceRegister:
    return register(items=(replace(ITEM, **changes),))


def with_claim(**changes: Any) -> EvidenceRegister:
    return register(claims=(replace(CLAIM, **changes),))


def named(found: Any) -> set[str]:
    return {one.name for one in found}


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (register(items=()), "evidence.items"),
        (register(claims=()), "evidence.claims"),
        (register(items=(ITEM, ITEM)), "evidence.items.e1"),
        (register(claims=(CLAIM, CLAIM)), "evidence.claims.reach"),
        (register(version=2), "evidence.version"),
        (with_item(title=Text("", "")), "evidence.items.e1.title"),
        (with_item(does_not_show=Text("Something", " ")), "evidence.items.e1.does_not_show"),
        (with_item(does_not_show=Text("[To be written]", "[À rédiger]")), "evidence.items.e1.does_not_show"),
        (with_item(source=" "), "evidence.items.e1.source"),
        (with_item(collected_by=""), "evidence.items.e1.collected_by"),
        (with_item(marking=""), "evidence.items.e1.marking"),
        (with_item(marking="Protected B"), "evidence.items.e1.public"),
        (with_item(marking="TLP:AMBER+STRICT"), "evidence.items.e1.public"),
        (with_item(collected_at=OPENED + timedelta(seconds=1)), "evidence.items.e1.collected_at"),
        (with_item(supports=("nothing",)), "evidence.items.e1.supports"),
        (with_item(supports=()), "evidence.claims.reach"),
        (with_claim(text=Text("Said", "")), "evidence.claims.reach.text"),
        (with_claim(status=ClaimStatus.contested), "evidence.claims.reach.reply"),
        (with_claim(status=ClaimStatus.upheld, reply=said("No")), "evidence.claims.reach.weighed"),
    ],
)
def test_a_register_is_complete(wrong: EvidenceRegister, name: str) -> None:
    assert name in named(evidence.flaws(wrong, at=OPENED))
    assert evidence.flaws(register(), at=OPENED) == ()


def test_a_withdrawn_claim_needs_no_support() -> None:
    assert evidence.flaws(with_claim(status=ClaimStatus.withdrawn), at=OPENED) == ()
    alone = register(items=(replace(ITEM, supports=()),), claims=(replace(CLAIM, status=ClaimStatus.withdrawn),))
    assert evidence.flaws(alone, at=OPENED) == ()


def test_an_adopted_directive_rests_on_somebodys_notice() -> None:
    own = with_item(kind=EvidenceKind.internal)
    assert named(evidence.flaws(own, at=OPENED, partner=True)) == {"evidence.items"}
    assert evidence.flaws(register(), at=OPENED, partner=True) == ()


def changed(item: EvidenceItem = ITEM, claim: Claim = CLAIM) -> EvidenceRegister:
    return EvidenceRegister("c-1", 2, (item,), (claim,))


@pytest.mark.parametrize(
    ("later", "name"),
    [
        (changed(replace(ITEM, id="e2")), "evidence.items.e1"),
        (changed(replace(ITEM, source="elsewhere")), "evidence.items.e1.source"),
        (changed(replace(ITEM, kind=EvidenceKind.internal)), "evidence.items.e1.kind"),
        (changed(claim=replace(CLAIM, id="other")), "evidence.claims.reach"),
        (changed(claim=replace(CLAIM, text=said("Something else"))), "evidence.claims.reach.text"),
        (replace(changed(), version=3), "evidence.version"),
        (replace(changed(), version=1, claims=(replace(CLAIM, weighed=said("Yes")),)), "evidence.version"),
    ],
)
def test_a_later_version_drops_nothing_silently(later: EvidenceRegister, name: str) -> None:
    assert name in named(evidence.flaws(later, at=OPENED, previous=register()))


def test_the_other_side_stays() -> None:
    before = contested()
    silent = replace(before, version=3, claims=(replace(before.claims[0], reply=None, status=ClaimStatus.asserted),))
    assert named(evidence.flaws(silent, at=OPENED, previous=before)) == {
        "evidence.claims.reach.reply",
        "evidence.claims.reach.status",
    }
    more = replace(before, version=3, items=(*before.items, replace(ITEM, id="e2")))
    assert evidence.flaws(more, at=OPENED, previous=before) == ()
    assert evidence.flaws(before, at=OPENED, previous=before) == (), "the same again is no new version"


GOOD = notified(DAY, due=DAY + timedelta(days=30), replied=DAY + timedelta(days=3))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"notice_sent": None, "reply": None, "reply_received": None}, "vendor.notice_sent"),
        ({"notice": None}, "vendor.notice"),
        ({"reply_due": None}, "vendor.reply_due"),
        ({"reply_due": DAY}, "vendor.reply_due"),
        ({"notice_sent": DAY + timedelta(days=9)}, "vendor.notice_sent"),
        ({"reply": None}, "vendor.reply"),
        ({"reply_received": DAY - timedelta(days=1)}, "vendor.reply_received"),
        ({"reply_received": DAY + timedelta(days=6)}, "vendor.reply_received"),
        ({"vendor": Text("", "")}, "vendor.vendor"),
        ({"responses": (ClaimResponse("other", said("x"), said("y"), changed=False),)}, "vendor.responses.other"),
        (
            {"responses": (ClaimResponse("reach", Text("", ""), said("y"), changed=False),)},
            "vendor.responses.reach.vendor_says",
        ),
        (
            {"responses": (ClaimResponse("reach", said("x"), Text("y", ""), changed=False),)},
            "vendor.responses.reach.answer",
        ),
    ],
)
def test_a_vendor_record_is_complete(changes: dict[str, Any], name: str) -> None:
    on = DAY + timedelta(days=5)
    assert name in named(vendor.flaws(replace(GOOD, **changes), contested(), on))
    assert vendor.unheard(GOOD, contested(), on) == ()


def test_a_waiver_has_a_reason_a_role_and_a_day() -> None:
    good = waived(DAY)
    assert good.waiver is not None
    assert vendor.unheard(good, register(), DAY) == ()
    for changes, name in (
        ({"reason": Text("Because", "")}, "vendor.waiver.reason"),
        ({"by": ""}, "vendor.waiver.by"),
        ({"on": DAY + timedelta(days=1)}, "vendor.waiver.on"),
    ):
        wrong = replace(good, waiver=replace(good.waiver, **changes))
        assert named(vendor.flaws(wrong, None, DAY)) == {name}


@pytest.mark.parametrize(("on", "still"), [(DAY, True), (DAY + timedelta(30), True), (DAY + timedelta(31), False)])
def test_the_window_closes_after_its_last_day(on: date, still: bool) -> None:
    assert vendor.still_open(notified(DAY, due=DAY + timedelta(days=30)), on) is still
    assert not vendor.still_open(GOOD, on)
    assert not vendor.still_open(waived(DAY), on)


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        (None, True),
        (Text("a", ""), True),
        (Text(" ", "b"), True),
        (Text("[x]", "y"), True),
        (Text("a [b] c", "d"), False),
    ],
)
def test_a_text_is_there_in_both_languages_or_not_at_all(text: Text | None, empty: bool) -> None:
    assert blank(text) is empty


@pytest.mark.parametrize(
    "marking",
    ["Protégé B", "TRÈS SECRET", "Secret//REL", "TLP: RED", "TLP-AMBER+STRICT", "NATO Restricted", "Confidentiel"],
)
def test_no_marked_item_is_public_however_the_marking_is_written(marking: str) -> None:
    first = register()
    marked = replace(first, items=(replace(first.items[0], marking=marking, public=True),))
    assert "evidence.items.e1.public" in {one.name for one in evidence.flaws(marked, at=OPENED)}
    open_ = replace(first, items=(replace(first.items[0], marking="Unclassified", public=True),))
    assert "evidence.items.e1.public" not in {one.name for one in evidence.flaws(open_, at=OPENED)}


@pytest.mark.parametrize("changes", [{"marking": "Unclassified"}, {"does_not_show": said("Nothing at all")}])
def test_limits_and_marking_of_an_item_are_not_rewritten(changes: dict[str, object]) -> None:
    first = register()
    later = replace(first, version=2, items=(replace(first.items[0], **changes),))
    names = {one.name for one in evidence.flaws(later, at=OPENED, previous=first)}
    assert names == {f"evidence.items.e1.{name}" for name in changes}
