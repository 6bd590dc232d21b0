"""What a department makes of a feed: cases, adoption as far as its policy goes, revocations. Nothing by surprise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.feed.conftest import KEYS, NAME, directive, revocation, targets_of

from proscribe.catalogue.model import TargetSet
from proscribe.decide.model import Case, Origin
from proscribe.directive.library import find
from proscribe.directive.model import Directive, State
from proscribe.documents import digest
from proscribe.feed import errors
from proscribe.feed.model import Adoption, DepartmentHeads, FeedHealth
from proscribe.plan.model import Verb
from proscribe.plan.orders import StandingOrder
from proscribe.prove.model import EntryKind
from proscribe.service import adopting, casework, feeding, ledgering, planning, trusting
from proscribe.service.config import InvalidSettings
from proscribe.text import Text

FIRST, SECOND = f"directives/{NAME}/1.dsse.json", f"directives/{NAME}/2.dsse.json"
TARGETS = f"target-sets/{NAME}/1.dsse.json"


def untouched(installation):
    """Nothing is adopted, and nothing of the feed would be planned with."""
    assert not list(installation.stores.documents.all(Adoption))
    assert installation.stores.documents.latest(Directive, subject=NAME) is None
    assert installation.stores.documents.latest(TargetSet, subject=NAME) is None


def test_by_default_a_case_is_opened_and_nothing_else(publish, officials, branch):
    one = directive()
    publish({FIRST: officials.file(one), TARGETS: officials.file(targets_of(one, branch.clock.now()))})
    report = feeding.pull(branch.open(), "central")
    assert set(report.taken) == {KEYS, FIRST, TARGETS}
    assert report.cases == ("feed-central-ca-example-1",)
    assert report.adopted == ()
    installation = branch.open()
    untouched(installation)
    case = installation.stores.documents.get(Case, installation.stores.documents.digests(Case)[0])
    assert (case.origin, case.directive) == (Origin.feed, NAME)
    view = casework.show(installation, case.id)
    assert view.file.steps == ()  # the machine takes no step
    assert {one.name for one in view.desk} == {"received", "directive"}
    with pytest.raises(errors.NotAdopted) as caught:
        feeding.adopt(branch.open("cio"), "central", NAME)
    assert "adopt nothing" in caught.value.what.en
    untouched(branch.open())


def test_the_case_can_be_taken_up_by_whoever_may(publish, officials, branch):
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    step = casework.advance(branch.open("analyst"), "feed-central-ca-example-1", casework.Stage.intake)
    assert step.documents[0].name == "received"


def test_pulling_again_changes_nothing(publish, officials, branch):
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    size = branch.open().stores.ledger.head().size
    for _ in range(3):
        branch.clock.advance(hours=1)
        report = feeding.pull(branch.open(), "central")
        assert (report.taken, report.cases, report.requests) == ((), (), 1)
    assert branch.open().stores.ledger.head().size == size


def test_adopted_after_somebody_approved_it(publish, officials, branch):
    branch.table |= {"adopt": "approved", "approvers": ["cio"]}
    one = directive()
    wanted = targets_of(one, branch.clock.now())
    publish({FIRST: officials.file(one), TARGETS: officials.file(wanted)})
    report = feeding.pull(branch.open(), "central")
    assert any("feed adopt central ca-example" in text.en for text in report.proposals)
    untouched(branch.open())
    with pytest.raises(errors.NotAdopted):
        feeding.adopt(branch.open("operator"), "central", NAME)
    adoption = feeding.adopt(branch.open("cio"), "central", NAME)
    assert (adoption.by, adoption.order, adoption.version) == ("cio", None, 1)
    assert feeding.adopt(branch.open("cio"), "central", NAME) == adoption
    installation = branch.open()
    assert planning.known_directive(installation, NAME) == one
    assert installation.stores.documents.latest(TargetSet, subject=NAME) == wanted
    assert adopting.source_of(installation, digest(one)) == "central"
    assert adopting.source_of(installation, digest(wanted)) == "here"
    assert not feeding.pull(branch.open(), "central").proposals


def test_an_adopted_directive_comes_before_a_shipped_one_of_the_same_name(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    shipped = find("ca-tbs-2023-wechat-kaspersky")
    ours = replace(shipped, version=shipped.version + 1)
    publish({f"directives/{ours.id}/{ours.version}.dsse.json": officials.file(ours)})
    feeding.pull(branch.open(), "central")
    assert planning.known_directive(branch.open(), ours.id) == shipped
    feeding.adopt(branch.open("cio"), "central", ours.id)
    assert planning.known_directive(branch.open(), ours.id) == ours


@pytest.fixture
def order(officials, branch):
    """Our own seats sign a standing order; here they are the same officials."""

    def do(signed=True, **changes):
        made = StandingOrder(
            id="so-1",
            version=1,
            directives=("*",),
            sources=("central",),
            verbs=(Verb.remove,),
            most_devices=100,
            starts=branch.clock.now().date(),
            until=branch.clock.now().date() + timedelta(days=100),
            issued_by="cio",
        )
        made = replace(made, **changes)
        installation = branch.open()
        own = officials.keys()
        trusting.install(installation, officials.sealed(own), pin=digest(own))
        if signed:
            trusting.register(installation, officials.sealed(made))
        else:
            installation.stores.documents.put(made, subject="so-1", at=branch.clock.now())
        return made

    return do


def test_adopted_under_a_signed_standing_order(publish, officials, branch, order):
    branch.table |= {"adopt": "standing"}
    given = order()
    one = directive()
    publish({FIRST: officials.file(one)})
    report = feeding.pull(branch.open(), "central")
    assert report.adopted == (NAME,)
    assert report.cases == ("feed-central-ca-example-1",)
    adoption = adopting.adoption_of(branch.open(), NAME)
    assert (adoption.order, adoption.by) == (digest(given), "cio")
    assert feeding.pull(branch.open(), "central").adopted == ()
    amended = directive(2, state=State.amended)
    publish({SECOND: officials.file(amended)}, days=1)
    assert feeding.pull(branch.open(), "central").adopted == (NAME,)
    assert adopting.adoption_of(branch.open(), NAME).version == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"signed": False},
        {"sources": ("elsewhere",)},
        {"sources": ("here",)},
        {"directives": ("another",)},
        {"withdrawn": True},
        {"starts": date(2026, 12, 1)},
        {"starts": date(2026, 1, 1), "until": date(2026, 10, 1)},
    ],
    ids=str,
)
def test_orders_that_do_not_cover_it(publish, officials, branch, order, changes):
    branch.table |= {"adopt": "standing"}
    order(**changes)
    publish({FIRST: officials.file(directive())})
    assert feeding.pull(branch.open(), "central").adopted == ()
    untouched(branch.open())


def test_a_standing_order_counts_for_nothing_where_the_policy_does_not_ask_for_it(publish, officials, branch, order):
    branch.table |= {"adopt": "approved"}
    order()
    publish({FIRST: officials.file(directive())})
    assert feeding.pull(branch.open(), "central").adopted == ()


def test_a_standing_order_that_nobody_has_to_sign_is_not_enough(publish, officials, branch):
    branch.table |= {"adopt": "standing"}
    made = StandingOrder(
        "so-1", 1, ("*",), ("central",), (Verb.remove,), 9, date(2026, 11, 1), date(2027, 1, 1), "cio"
    )  # fmt: skip
    branch.open().stores.documents.put(made, subject="so-1", at=branch.clock.now())
    publish({FIRST: officials.file(directive())})
    assert feeding.pull(branch.open(), "central").adopted == ()


def test_what_two_seats_did_not_sign_is_refused_alone(publish, officials, branch):
    """The feed itself is in order; one item in it is not, and the others are taken."""
    branch.table |= {"adopt": "approved"}
    other = replace(directive(), id="ca-other")
    publish({FIRST: officials.file(directive(), "cio"), "directives/ca-other/1.dsse.json": officials.file(other)})
    report = feeding.pull(branch.open(), "central")
    assert [(one.path, one.refused) for one in report.refused] == [(FIRST, "trust.threshold")]
    assert "1 of 2" in report.refused[0].why.en
    assert report.cases == ("feed-central-ca-other-1",)
    with pytest.raises(errors.NotAdopted):
        feeding.adopt(branch.open("cio"), "central", NAME)
    assert [one.refused for one in feeding.items(branch.open(), "central") if one.refused] == ["trust.threshold"]


def test_without_the_authoritys_key_list_nothing_can_be_adopted(publish, officials, branch):
    branch.table = {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    report = feeding.pull(branch.open(), "central")
    assert report.cases == ("feed-central-ca-example-1",)
    with pytest.raises(errors.NotAdopted) as caught:
        feeding.adopt(branch.open("cio"), "central", NAME)
    assert "key_list" in caught.value.remedy.en
    branch.table |= {"key_list": digest(officials.keys())}
    publish({}, days=1)
    feeding.pull(branch.open(), "central")
    assert feeding.adopt(branch.open("cio"), "central", NAME).version == 1


def test_a_key_list_that_is_not_the_pinned_one_is_not_installed(publish, officials, branch):
    branch.table = {"adopt": "approved", "key_list": "sha256:" + "0" * 64}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    assert trusting.key_list(branch.open(), issuer="central") is None


def test_the_next_key_list_is_followed_and_a_strangers_is_not(publish, officials, branch, new_officials):
    feeding.pull(branch.open(), "central")
    stranger = new_officials()
    path = "keys/key-list/2.dsse.json"
    publish({path: stranger.file(stranger.keys(2))})
    report = feeding.pull(branch.open(), "central")
    assert [one.refused for one in report.refused] == ["trust.key-list-replaced"]
    assert trusting.key_list(branch.open(), issuer="central").version == 1
    officials.holders = ("cio", "security", "spare")
    third = "keys/key-list/3.dsse.json"
    publish({third: officials.file(officials.keys(3))})
    report = feeding.pull(branch.open(), "central")
    assert "trust.key-list-skipped" in [one.refused for one in report.refused]


def test_a_second_key_list_changes_who_may_sign(publish, officials, branch):
    feeding.pull(branch.open(), "central")
    officials.holders = ("cio", "security", "spare")
    publish({
        "keys/key-list/2.dsse.json": officials.file(officials.keys(2), "cio", "security"),
        FIRST: officials.file(directive(), "cio", "spare"),
    })  # fmt: skip
    report = feeding.pull(branch.open(), "central")
    assert not report.refused
    assert any("number 2" in text.en for text in report.proposals)
    assert feeding.status(branch.open())[0].key_list == 2


def test_a_revocation_opens_a_case_and_proposes_to_lift(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    one = directive()
    publish({FIRST: officials.file(one)})
    feeding.pull(branch.open(), "central")
    feeding.adopt(branch.open("cio"), "central", NAME)
    publish({f"revocations/{NAME}/1.dsse.json": officials.file(revocation(one))}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert report.cases == ("feed-central-ca-example-revoked-1",)
    assert any("proscribe lift ca-example" in text.en for text in report.proposals)
    assert adopting.adoption_of(branch.open(), NAME) is not None  # lifting is for people
    again = directive(2)
    publish({SECOND: officials.file(again)}, days=1)  # issued anew
    feeding.pull(branch.open(), "central")
    assert feeding.adopt(branch.open("cio"), "central", NAME).version == 2


def test_what_was_taken_back_is_not_adopted_even_if_the_revocation_is_hidden(publish, officials, branch, order):
    branch.table |= {"adopt": "standing"}
    order()
    one, path = directive(), f"revocations/{NAME}/1.dsse.json"
    publish({FIRST: officials.file(one), path: officials.file(revocation(one))})
    assert feeding.pull(branch.open(), "central").adopted == ()
    publish({}, remove=[path])
    assert feeding.pull(branch.open(), "central").adopted == ()
    with pytest.raises(errors.NotAdopted):
        feeding.adopt(branch.open("cio"), "central", NAME)
    untouched(branch.open())


def test_a_version_that_says_it_is_revoked_is_a_revocation(publish, officials, branch, order):
    branch.table |= {"adopt": "standing"}
    order()
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    publish({SECOND: officials.file(directive(2, state=State.revoked))}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert report.adopted == ()
    assert any("proscribe lift ca-example" in text.en for text in report.proposals)
    case = branch.open().stores.documents.latest(Case, subject="feed-central-ca-example-2")
    assert "lift" in case.concern.en


def test_a_directive_that_takes_anothers_place_says_so(publish, officials, branch, order):
    branch.table |= {"adopt": "standing"}
    order()
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    new = replace(directive(), id="ca-next", supersedes=NAME)
    publish({"directives/ca-next/1.dsse.json": officials.file(new)}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert report.adopted == ("ca-next",)
    assert any("takes the place of ca-example" in text.en for text in report.proposals)
    case = branch.open().stores.documents.latest(Case, subject="feed-central-ca-next-1")
    assert NAME in case.concern.en


def test_of_a_history_only_the_newest_version_opens_a_case(publish, officials, branch):
    publish({FIRST: officials.file(directive()), SECOND: officials.file(directive(2))})
    assert feeding.pull(branch.open(), "central").cases == ("feed-central-ca-example-2",)


def test_an_older_version_that_appears_later_is_refused(publish, officials, branch):
    publish({SECOND: officials.file(directive(2))})
    feeding.pull(branch.open(), "central")
    publish({FIRST: officials.file(directive())}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert [(one.path, one.refused) for one in report.refused] == [(FIRST, "feed.older")]
    assert report.cases == ()


def test_a_published_version_with_other_content_is_refused(publish, officials, branch, authority):
    """Not even two officers may do this; so it is done by taking it out and putting another in its place."""
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    changed = replace(directive(), confidence=type(directive().confidence)("low"))
    publish({}, remove=[FIRST])
    publish({FIRST: officials.file(changed)}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert [one.refused for one in report.refused] == ["feed.rewritten"]


def test_a_document_under_anothers_name_is_refused(publish, officials, branch):
    publish({
        "directives/ca-else/1.dsse.json": officials.file(directive()),
        SECOND: officials.file(directive(3)),
        "directives/ca-bad/1.dsse.json": b"{}",
        "target-sets/ca-bad/1.dsse.json": officials.file(directive()),
    })  # fmt: skip
    report = feeding.pull(branch.open(), "central")
    assert {one.path: one.refused for one in report.refused} == {
        "directives/ca-bad/1.dsse.json": "feed.unreadable-item",
        SECOND: "feed.misplaced",
        "directives/ca-else/1.dsse.json": "feed.misplaced",
        "target-sets/ca-bad/1.dsse.json": "feed.unreadable-item",
    }
    untouched(branch.open())


def test_a_directive_that_disappears_takes_nothing_back(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    feeding.adopt(branch.open("cio"), "central", NAME)
    publish({}, days=1, remove=[FIRST])
    report = feeding.pull(branch.open(), "central")
    assert report.gone == (FIRST,)
    assert any("takes nothing back" in text.en for text in report.proposals)
    assert adopting.adoption_of(branch.open(), NAME).version == 1
    assert planning.known_directive(branch.open(), NAME) == directive()


def test_a_new_target_set_is_adopted_like_a_new_version(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    one = directive()
    publish({FIRST: officials.file(one), TARGETS: officials.file(targets_of(one, branch.clock.now()))})
    feeding.pull(branch.open(), "central")
    feeding.adopt(branch.open("cio"), "central", NAME)
    branch.clock.advance(days=1)
    wider = targets_of(one, branch.clock.now())
    path = f"target-sets/{NAME}/2.dsse.json"
    publish({path: officials.file(wider)})
    report = feeding.pull(branch.open(), "central")
    assert any("feed adopt central" in text.en for text in report.proposals)
    assert feeding.adopt(branch.open("cio"), "central", NAME).targets_digest == digest(wider)


def test_precedents_and_notices_are_for_information(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    precedent = replace(directive(), id="gb-example")
    publish({
        "precedents/gb-example/1.dsse.json": officials.file(precedent),
        f"notices/{NAME}/public.en.md": b"# Notice",
    })  # fmt: skip
    report = feeding.pull(branch.open(), "central")
    assert len(report.taken) == 3
    assert report.cases == ()
    with pytest.raises(errors.NotAdopted):
        feeding.adopt(branch.open("cio"), "central", "gb-example")


def test_a_revoked_key_stops_adoption_later(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    keys = officials.keys(2)
    stolen = replace(
        keys.keys[1], revoked_at=branch.clock.now() - timedelta(hours=1), revoked_because=Text("Stolen.", "Volée.")
    )
    second = replace(keys, keys=(keys.keys[0], stolen, keys.keys[2]))
    publish({"keys/key-list/2.dsse.json": officials.file(second, "cio", "legal")}, days=1)
    assert not feeding.pull(branch.open(), "central").refused
    with pytest.raises(trusting.NotSigned):
        feeding.adopt(branch.open("cio"), "central", NAME)
    untouched(branch.open())


def test_heads_that_contradict_our_ledger_or_each_other_are_said(publish, branch, officials):
    from proscribe.documents import to_bytes

    installation = branch.open()
    installation.record(EntryKind.feed, "x", note="something")
    mine = ledgering.signed_head(installation)
    heads = DepartmentHeads(at=branch.clock.now(), heads={"charts": mine})
    publish({"heads/departments.json": to_bytes(heads)})
    report = feeding.pull(branch.open(), "central")
    assert "heads/departments.json" in report.taken
    assert not report.proposals
    key = ledgering.log_key(installation)
    from proscribe.prove.heads import sign_head
    from proscribe.prove.model import TreeHead

    forged = sign_head(TreeHead(mine.size, "0" * 64), key, branch.clock.now())
    publish({"heads/departments.json": to_bytes(replace(heads, heads={"charts": forged}))}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert any("charts" in text.en for text in report.proposals)


def test_a_refused_feed_is_recorded_once_and_touches_nothing(publish, officials, branch, authority):
    branch.table |= {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    branch.clock.advance(days=8)
    for _ in range(3):
        with pytest.raises(errors.FeedFrozen):
            feeding.pull(branch.open(), "central")
    entries = [one for one in branch.open().stores.ledger.entries() if one.body.get("event") == "refused"]
    assert [one.body["code"] for one in entries] == ["feed.frozen"]
    (status,) = feeding.status(branch.open())
    assert status.health is FeedHealth.refused
    assert "feed.frozen" in status.why.fr
    publish({}, days=8)
    feeding.pull(branch.open(), "central")
    assert feeding.status(branch.open())[0].health is FeedHealth.good


def test_a_feed_that_stops_is_stale_before_it_lapses(publish, branch):
    assert feeding.status(branch.open())[0].health is FeedHealth.never
    feeding.pull(branch.open(), "central")
    assert feeding.status(branch.open())[0].health is FeedHealth.good
    branch.clock.advance(days=3)
    feeding.pull(branch.open(), "central")  # it answers, with the same words
    assert feeding.status(branch.open())[0].health is FeedHealth.stale
    branch.clock.advance(days=5)
    assert feeding.status(branch.open())[0].health is FeedHealth.lapsed


def test_two_pulls_at_once(publish, branch):
    from proscribe.store.locks import try_lock

    installation = branch.open()
    with try_lock("feed:central") as got:
        assert got
        with pytest.raises(errors.FeedBusy):
            feeding.pull(installation, "central")


def test_settings_that_cannot_be(branch, publish):
    with pytest.raises(errors.UnknownFeed):
        feeding.pull(branch.open(), "centrall")
    installation = branch.open()
    named = replace(installation.settings.feeds[0], name="own")
    own = replace(installation, settings=replace(installation.settings, feeds=(named,)))
    with pytest.raises(InvalidSettings):
        feeding.pull(own, "own")
    branch.table |= {"root": "nothing.json"}
    with pytest.raises(Exception, match="cannot be read"):
        feeding.pull(branch.open(), "central")


def test_a_crash_between_feed_and_database_loses_nothing(publish, officials, branch, monkeypatch):
    """The feed's state was accepted, and the machine stopped before anything was recorded."""
    publish({FIRST: officials.file(directive())})
    monkeypatch.setattr(feeding, "_work", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        feeding.pull(branch.open(), "central")
    monkeypatch.undo()
    assert feeding.pull(branch.open(), "central").cases == ("feed-central-ca-example-1",)


def test_an_older_version_is_refused_even_where_the_newer_one_came_by_another_way(publish, officials, branch):
    feeding.pull(branch.open(), "central")
    trusting.register(branch.open(), officials.sealed(directive(2)), issuer="central")
    publish({FIRST: officials.file(directive())})
    report = feeding.pull(branch.open(), "central")
    assert [one.refused for one in report.refused] == ["trust.replayed"]
    untouched(branch.open())


def test_what_is_refused_is_tried_again_when_something_new_comes(publish, officials, branch):
    """The directive comes a day before the key list that names its second signer."""
    feeding.pull(branch.open(), "central")
    publish({FIRST: officials.file(directive(), "cio", "spare")})
    assert [one.refused for one in feeding.pull(branch.open(), "central").refused] == ["trust.unknown-key"]
    officials.holders = ("cio", "security", "spare")
    publish({"keys/key-list/2.dsse.json": officials.file(officials.keys(2), "cio", "security")}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert FIRST in report.taken
    assert report.cases == ("feed-central-ca-example-1",)


def test_a_version_decided_here_since_is_the_one_that_is_planned(publish, officials, branch):
    branch.table |= {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    feeding.adopt(branch.open("cio"), "central", NAME)
    branch.open().keep(directive(2), EntryKind.directive, subject=NAME)  # as the publication of a case does
    assert planning.known_directive(branch.open(), NAME).version == 2


def test_one_organisation_judges_its_feed_by_its_own_key_list(publish, officials, branch):
    branch.table = {"adopt": "approved", "issuer": "own"}
    trusting.install(branch.open(), officials.sealed(officials.keys()), pin=digest(officials.keys()))
    publish({FIRST: officials.file(directive())})
    assert not feeding.pull(branch.open(), "central").refused
    assert feeding.adopt(branch.open("cio"), "central", NAME).version == 1


def test_what_is_in_the_feed_is_judged_by_the_time_of_the_installation(publish, officials, branch):
    """The key list of the authority lapses by our clock too, and its documents with it."""
    branch.table |= {"adopt": "approved"}
    publish({FIRST: officials.file(directive())})
    feeding.pull(branch.open(), "central")
    branch.clock.advance(days=401)
    with pytest.raises(trusting.KeyListExpired):
        feeding.adopt(branch.open("cio"), "central", NAME)
    untouched(branch.open())
