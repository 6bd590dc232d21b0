"""200 phones on the real servers: banned in waves, watched, lifted. Judged by what the phones really are.

Every class of enrolment, every system version, and people of every kind. What Proscribe reports is held against the
table of mdm.md 1.1, written down here once more in words of this module, and against the truth on the phones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.connectors.nanomdm.department import (
    TIKTOK,
    WECHAT,
    Department,
    department,
    group_of,
)
from tests.connectors.nanomdm.servers import Servers
from tests.connectors.nanomdm.world import real_site

from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.service.model import TickSummary
from proscribe.simulate.apple import (
    App,
    BannedApp,
    Behaviour,
    CertificateAuthority,
    FleetSpec,
    Phone,
    PhoneSpec,
    make_phones,
)
from proscribe.terms import Enrolment

pytestmark = [pytest.mark.servers, pytest.mark.slow]

CASINO = "org.example.casino"
QUESTIONS = {"DeviceInformation", "InstalledApplicationList", "ManagedApplicationList", "ProfileList"}
CLASSES = (Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment)
BANNED = ("com.zhiliaoapp.musically", "com.ss.iphone.ugc.tiktok.lite")
GONE = (Outcome.absent_verified, Outcome.removed_verified)


@pytest.fixture
def dept(
    request: pytest.FixtureRequest, real_servers: Servers, authority: CertificateAuthority, home: Path
) -> Iterator[Department]:
    """On NanoMDM's files, or ``@pytest.mark.parametrize("dept", ["pgsql"], indirect=True)``."""
    on_database = getattr(request, "param", "") == "pgsql"
    database = request.getfixturevalue("nanomdm_database") if on_database else None
    with department(real_site(real_servers, database), authority, home) as made:
        yield made


def fleet(number: int, **choices: object) -> list[Phone]:
    banned = (BannedApp(BANNED[0], "TikTok", share=0.3), BannedApp(BANNED[1], "TikTok Lite", share=0.1))
    return make_phones(FleetSpec(phones=number, banned=banned, **choices))  # type: ignore[arg-type]


def holds(phone: Phone) -> set[str]:
    return phone.installed() & set(BANNED)


def no_better_than_its_class(phone: Phone | None, said: DeviceOutcome) -> None:
    """What mdm.md 1.1 lets anybody say of a phone of this class, and what is true of this one.

    ``phone`` None: an enrolment that ended without a word, of which nothing good may be said.
    """
    good = said.outcome in GONE or said.outcome is Outcome.contained
    if phone is None:
        assert not good
        return
    enrolment = phone.spec.enrolment
    assert said.enrolment in (enrolment, Enrolment.unknown)
    assert not (good and said.enrolment is Enrolment.unknown)
    assert not (good and enrolment is Enrolment.user_enrolment), "personal apps are out of sight"
    assert not (said.outcome is Outcome.contained and enrolment is Enrolment.unsupervised), "nothing blocks there"
    if phone.spec.behaviour in (Behaviour.reinstaller, Behaviour.wiped):
        return  # since the list was taken, the app may have come back
    if said.outcome in GONE:
        assert not holds(phone), f"{phone} holds {holds(phone)}"
    if said.outcome is Outcome.contained:
        assert not any(phone.can_launch(app) for app in BANNED)


def expected(phone: Phone) -> tuple[Outcome, ...]:
    """Where a phone must be in the end."""
    if phone.spec.enrolment is Enrolment.user_enrolment:
        return (Outcome.invisible, Outcome.impossible)
    if phone.spec.behaviour is Behaviour.declared:
        return (Outcome.contained,)
    if phone.spec.behaviour is Behaviour.refuses and holds(phone):
        return (Outcome.refused_by_user,)
    return (
        (Outcome.removed_verified,) if set(BANNED) & {app.id for app in phone.spec.apps} else (Outcome.absent_verified,)
    )


def astray(dept: Department) -> dict[str, str]:
    """Phones whose outcome is not where it must be in the end, and why."""
    said = dept.outcomes()
    found = {}
    for phone in dept.world.phones:
        own = said.get(phone.id)
        if phone.enrolled and (own is None or own.outcome not in expected(phone)):
            told = "not judged" if own is None else f"{own.outcome}: {own.why.en}"
            found[f"{phone} {phone.spec.behaviour} {sorted(holds(phone))}"] = told
    return found


def watch(dept: Department, ticks: int, *, hours: float = 2, until_settled: bool = False) -> list[TickSummary]:
    """Let time pass, and hold every judgement against the phones; ends early once all are where they must be."""
    summaries = []
    for _ in range(ticks):
        summaries.append(dept.tick(hours=hours, check_in=False))
        assert summaries[-1].errors == ()
        for name, said in dept.outcomes().items():
            no_better_than_its_class(dept.phone(name), said)
        dept.world.check_in()
        if until_settled and not astray(dept):
            break
    return summaries


def test_a_ban_in_waves_over_every_class(dept: Department) -> None:
    phones = fleet(200)
    dept.place(phones)
    for group in {group_of(phone) for phone in phones}:
        dept.hand_over(group, CASINO)
    dept.world.enrol(phones)
    dept.ask()
    dept.apply(dept.plan(rings=("canary=5%", "first=25%", "rest=unlimited")))
    watch(dept, 60, until_settled=True)
    assert astray(dept) == {}
    watch(dept, 24)  # by now those who fetch the app again have done so, once
    watch(dept, 60, until_settled=True)
    assert astray(dept) == {}
    assert {phone.spec.enrolment for phone in phones} == set(CLASSES)
    assert {phone.spec.behaviour for phone in phones} == set(Behaviour)

    answered = {phone.id: len(phone.answers) for phone in phones}
    watch(dept, 12)
    assert astray(dept) == {}
    later = {each.request_type for phone in phones for each in phone.answers[answered.get(phone.id, 0) :]}
    assert later <= QUESTIONS, "a fleet that is where it must be is changed no more"
    gone = {phone.id for phone in phones if not phone.enrolled}
    assert gone
    assert not gone & dept.outcomes().keys(), "a phone that checked out is nobody's any more"


# Two bans on one group ----------------------------------------------------------------------------------------------


def phone_of(os: str, number: int, *apps: str, **fields: object) -> Phone:
    """A supervised phone of the department of charts."""
    spec = PhoneSpec(f"00008110-{number:016X}", f"NLCHART{number:03d}", f"Phone {number}", os=os, department="Charts")
    return Phone(replace(spec, apps=tuple(App(app) for app in apps), **fields))  # type: ignore[arg-type]


def own_declaration(dept: Department, phone: Phone, app: str) -> None:
    """The organisation denies an app by a declaration of its own, in a set of its own."""
    pair: list[dict[str, object]] = [
        {
            "Type": "com.apple.configuration.app.settings",
            "Identifier": "lighthouse-games",
            "Payload": {"Allowed": {"DeniedApps": [app]}},
        },
        {
            "Type": "com.apple.activation.simple",
            "Identifier": "lighthouse-games-on",
            "Payload": {"StandardConfigurations": ["lighthouse-games"]},
        },
    ]
    site = dept.world.site
    with httpx.Client(base_url=f"{site.kmfddm}/v1", auth=("kmfddm", site.kmfddm_key)) as client:
        for each in pair:
            client.put("/declarations?nonotify=1", json=each)
            client.put(f"/set-declarations/lighthouse?nonotify=1&declaration={each['Identifier']}")
        client.put(f"/enrollment-sets/{phone.id}?nonotify=1&set=lighthouse")


def restrictions(phone: Phone) -> dict[str, object]:
    """The one Restrictions payload on a phone."""
    found = [
        payload
        for profile in phone.device.profiles.values()
        for payload in profile.payloads
        if payload["PayloadType"] == "com.apple.applicationaccess"
    ]
    assert len(found) == 1
    return found[0]


def denied(phone: Phone) -> dict[str, list[str]]:
    """The denied apps of every configuration on a phone, by its identifier."""
    return {
        name: item.payload["Allowed"]["DeniedApps"]
        for name, item in phone.device.declarations.items.items()
        if item.kind == "configuration"
    }


def test_of_two_bans_one_is_lifted(dept: Department) -> None:
    """What stays is exactly the other ban and the organisation's own entries; lifted too, what the organisation had."""
    wechat = ["com.kaspersky.passwordmanager", "com.tencent.xin"]
    tiktok = ["com.ss.iphone.ugc.Ame", *sorted(BANNED)]
    old, middle, new = phones = [phone_of("14.8", 1), phone_of("18.5", 2), phone_of("27.0", 3)]
    dept.place(phones)
    base = dept.hand_over("charts", CASINO)
    dept.world.enrol(phones)
    own_declaration(dept, new, "org.example.games")
    dept.ask()
    for directive in (TIKTOK, WECHAT):
        dept.apply(dept.plan(directive))
        watch(dept, 3)
    assert middle.blocked() == {CASINO, *tiktok, *wechat}
    assert old.blocked() == {*tiktok, *wechat}, "the organisation's list has the name that iOS 14 does not know"
    assert new.blocked() == {"org.example.games", *tiktok, *wechat}
    assert len(denied(new)) == 3

    def same_but_for_ours(phone: Phone, *ours: str) -> None:
        (given,) = base["PayloadContent"]  # type: ignore[misc]
        found = dict(restrictions(phone))
        listed = [found.pop(key, ()) for key in ("blockedAppBundleIDs", "blacklistedAppBundleIDs")]
        assert sorted({app for apps in listed for app in apps}) == sorted([CASINO, *ours])
        expected = {key: value for key, value in given.items() if key != "blockedAppBundleIDs"}
        assert {**found, "PayloadUUID": ""} == {**expected, "PayloadUUID": ""}
        (document,) = (each.document for each in phone.device.profiles.values())
        kept = {key: value for key, value in base.items() if key not in ("PayloadContent", "PayloadUUID")}
        assert kept.items() <= document.items()

    dept.lift(WECHAT)
    watch(dept, 3)
    for phone in (old, middle):
        same_but_for_ours(phone, *tiktok)
    left = denied(new)
    assert left.pop("lighthouse-games") == ["org.example.games"]
    assert [*left.values()] == [tiktok]

    dept.lift(TIKTOK)
    watch(dept, 3)
    for phone in (old, middle):
        same_but_for_ours(phone)
        assert restrictions(phone)["PayloadUUID"] == base["PayloadContent"][0]["PayloadUUID"]  # type: ignore[index]
    assert denied(new) == {"lighthouse-games": ["org.example.games"]}
    assert all(phone.can_launch("com.apple.mobilesafari") for phone in phones)


# What is lost, and what comes late ------------------------------------------------------------------------------------


def times(phones: Iterable[Phone], request_type: str) -> list[int]:
    """How often each phone carried out a command of this type."""
    return [
        sum((one.request_type, one.status) == (request_type, "Acknowledged") for one in phone.answers)
        for phone in phones
    ]


def test_what_phones_said_while_nobody_listened_is_asked_again(dept: Department) -> None:
    """NanoMDM tells once: the answers to whole rounds are lost. Afterwards all is as if they had been heard."""
    phones = [phone_of(os, number, *BANNED[:1]) for number, os in enumerate(("17.6", "18.5", "26.1", "27.0") * 3)]
    dept.place(phones)
    dept.world.enrol(phones)
    dept.ask()
    dept.apply(dept.plan())
    watch(dept, 2)
    dept.world.deafen()
    watch(dept, 6)
    assert astray(dept), "what was told meanwhile has reached us"
    dept.world.listen_again()
    summaries = watch(dept, 40, until_settled=True)
    assert astray(dept) == {}
    (gap,) = dept.open().connectors["nanomdm"]._records.gaps()  # type: ignore[attr-defined]
    assert gap.healed_at is not None
    assert gap.ended - gap.began >= timedelta(hours=10)
    assert sum(each.counts.get("healed", 0) for each in summaries) == 1
    assert times(phones, "RemoveApplication") == [1] * 12, "what had been done was not done twice"


def test_a_phone_that_was_off_for_a_week(dept: Department) -> None:
    """It is stale and never clean; once it is back, what waited in its queue is done once."""
    away, here = phones = [phone_of("26.1", 1, *BANNED), phone_of("26.1", 2, *BANNED)]
    dept.place(phones)
    dept.world.enrol(phones)
    dept.ask()
    away.online = False
    dept.apply(dept.plan())
    seen = set()
    for _ in range(20):
        watch(dept, 1, hours=12)
        seen.add(dept.outcomes()[away.id].outcome)
    assert seen == {Outcome.pending_sync, Outcome.stale}
    assert dept.outcomes()[here.id].outcome is Outcome.removed_verified
    away.online = True
    watch(dept, 30, until_settled=True)
    assert astray(dept) == {}
    assert times(phones, "RemoveApplication") == [2, 2]


@pytest.mark.parametrize("dept", ["filekv", pytest.param("pgsql", marks=pytest.mark.postgres)], indirect=True)
def test_a_phone_that_is_locked_for_a_day(dept: Department) -> None:
    """It puts everything off; nothing piles up in its queue, and it is done once it is unlocked.

    NanoMDM's files may forget what was put off, its database does not; both must end the same.
    """
    (phone,) = phones = [phone_of("18.5", 1, *BANNED[:1])]
    dept.place(phones)
    dept.world.enrol(phones)
    dept.ask()
    phone.lock()
    dept.apply(dept.plan())
    watch(dept, 14)
    assert dept.outcomes()[phone.id].outcome is Outcome.pending_locked
    assert len({one.uuid for one in phone.answers if one.status == "NotNow"}) <= len(QUESTIONS) + 1
    phone.unlock()
    watch(dept, 30, until_settled=True)
    assert astray(dept) == {}


def test_an_upgrade_to_27_takes_the_block_from_the_profile_to_declarations(dept: Department) -> None:
    """There is no moment at which the app could launch."""
    (phone,) = phones = [phone_of("26.1", 1)]
    dept.place(phones)
    dept.hand_over("charts", CASINO)
    dept.world.enrol(phones)
    dept.ask()
    dept.apply(dept.plan())
    watch(dept, 12, until_settled=True)
    watch(dept, 3)
    assert {CASINO, *BANNED} <= phone.blocked()
    assert not denied(phone)
    phone.upgrade("27.0")
    for _ in range(30):
        watch(dept, 1)
        assert set(BANNED) <= phone.blocked()
    assert [*denied(phone).values()] == [["com.ss.iphone.ugc.Ame", *sorted(BANNED)]]
    assert restrictions(phone)["blockedAppBundleIDs"] == [CASINO]
    assert astray(dept) == {}
