"""What is said first, and of whom: makers who receive data before plain libraries, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proscribe.assess.emit.makers import alarms, exposure_line, exposure_rows, publisher_by_name, signer_line
from proscribe.assess.emit.page import page
from proscribe.assess.emit.reading import actor_names, findings_by_actor, ranked_actors, telling
from proscribe.assess.facts import Anomaly, SchemeResult
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Actor, SdkPresence
from proscribe.assess.terms import ActorKind, Area, Ladder, Scheme, SignatureState
from proscribe.terms import Platform
from proscribe.text import Text

APP = Actor(ActorKind.app)
SERVICE = Actor(ActorKind.sdk, "tencent-tbs", "Tencent TBS (X5)", "Tencent", "CN", "tencent")
OTHER = Actor(ActorKind.sdk, "adkit", "Adkit", "Adkit Ltd", "RU", "adkit")
GLIDE, NETTY = (Actor(ActorKind.sdk, name.lower(), name) for name in ("Glide", "Netty"))
MANIFEST = Actor(ActorKind.declaration)


@pytest.mark.parametrize(
    ("actors", "en", "fr"),
    [
        ((APP, GLIDE), "the app and Glide", "l'application et Glide"),
        ((APP, GLIDE, NETTY), "the app and 2 libraries", "l'application et 2 bibliothèques"),
        (
            (APP, SERVICE, GLIDE),
            "the app, Tencent TBS (X5) and 1 library",
            "l'application, Tencent TBS (X5) et 1 bibliothèque",
        ),
        (
            (APP, SERVICE, OTHER, GLIDE, NETTY),
            "the app, Tencent TBS (X5), 1 more and 2 libraries",
            "l'application, Tencent TBS (X5), 1 autre et 2 bibliothèques",
        ),
        ((GLIDE, NETTY), "Glide and Netty", "Glide et Netty"),
        ((MANIFEST, GLIDE), "Glide", "Glide"),
        ((MANIFEST,), "declaration alone", "déclaration seule"),
    ],
)
def test_libraries_are_counted_beside_others(actors: tuple[Actor, ...], en: str, fr: str) -> None:
    assert actor_names(actors, 2) == Text(en, fr)


def test_a_service_comes_before_libraries_with_more_evidence(rich: Assessment) -> None:
    [one, *_] = [finding for finding in rich.findings if finding.actor.sdk == SERVICE.sdk]
    library = replace(one, actor=GLIDE, evidence_total=one.evidence_total + 40)
    own = replace(one, actor=APP)
    assert ranked_actors([library, one, own]) == (APP, SERVICE, GLIDE)
    many = [replace(library, id=str(number)) for number in range(3)]
    counted = findings_by_actor(replace(rich, findings=(*many, one, own)))
    assert counted == [(APP, 1), (SERVICE, 1), (GLIDE, 3)]


def test_a_library_on_the_device_exposes_nobody(rich: Assessment) -> None:
    library = SdkPresence("kotlin-stdlib", "Kotlin", "JetBrains", "CZ", Text("language", "langage"), 900, 3, ())
    source = replace(rich, sdks=(*rich.sdks, library))
    assert "CZ" not in [row.country for row in exposure_rows(source)]
    assert exposure_line(source) == Text(
        "China: publisher NetEase, Tencent TBS (X5), 6 hosts; United States: 1 host",
        "Chine\u00a0: éditeur NetEase, Tencent TBS (X5), 6 hôtes; États-Unis\u00a0: 1 hôte",
    )
    section = page(source, "en").split('id="sdks"')[1].split("</section>")[0]
    assert section.index("Tencent TBS") < section.index("Libraries that need nobody") < section.index("Kotlin")


def test_many_sdks_are_a_number_and_an_owner_is_a_way(rich: Assessment) -> None:
    many = tuple(replace(rich.sdks[0], id=str(number), name=f"Kit {number}") for number in range(4))
    owner = replace(rich.exposure.countries[1], through=("owner of NetEase: Holding",))
    exposure = replace(rich.exposure, countries=(rich.exposure.countries[0], owner), hosts=())
    line = exposure_line(replace(rich, sdks=many, exposure=exposure)).en
    assert line == "China: publisher NetEase, 4 SDKs; United States: by ownership"


def test_a_publisher_by_name_is_not_said_to_have_signed(rich: Assessment) -> None:
    assert not publisher_by_name(rich)
    by_name = replace(rich.exposure.countries[0], through=("publisher by name only: NetEase",))
    source = replace(rich, exposure=replace(rich.exposure, countries=(by_name, *rich.exposure.countries[1:])))
    assert "publisher NetEase (by name only)" in exposure_line(source).en
    assert "éditeur NetEase (selon son seul nom)" in exposure_line(source).fr
    assert "NetEase (by name only)" in page(source, "en").split('id="exposure"')[1].split("</section>")[0]


@pytest.mark.parametrize("subject", ["CN=Android Debug, O=Android, C=US", "C=US, O=Android, CN=Android Debug"])
def test_the_certificate_of_a_test_build_names_nobody(rich: Assessment, subject: str) -> None:
    assert "test certificate" not in signer_line(rich).en
    certificates = tuple(replace(one, subject=subject) for one in rich.publisher.certificates)
    tested = replace(rich, publisher=replace(rich.publisher, certificates=certificates))
    assert signer_line(tested) == Text(
        f"{subject} (signature verified; a test certificate, which names nobody)",
        f"{subject} (signature vérifiée; un certificat d'essai, qui ne nomme personne)",
    )


@pytest.mark.parametrize(
    ("problem", "states", "words"),
    [
        ("jar-sig.digest", (SignatureState.failed, SignatureState.absent), "The signature does not hold"),
        ("jar-sig.no-manifest", (SignatureState.failed, SignatureState.absent), "The package is not signed"),
        ("", (SignatureState.absent, SignatureState.absent), "The package is not signed"),
        ("", (SignatureState.verified, SignatureState.absent), "A signature holds, and not for the whole package"),
        ("", (SignatureState.not_checked, SignatureState.absent), ""),
    ],
)
def test_a_package_that_nobody_signed_says_so_before_the_reasons(
    rich: Assessment, problem: str, states: tuple[SignatureState, ...], words: str
) -> None:
    assert alarms(rich) == []
    schemes = tuple(
        SchemeResult(scheme, state, problem if state is SignatureState.failed else "")
        for scheme, state in zip((Scheme.v1, Scheme.v2), states, strict=True)
    )
    source = replace(rich, publisher=replace(rich.publisher, verified=False, signers=(), schemes=schemes))
    assert [one.en.partition(":")[0].partition(" (")[0] for one in alarms(source)] == ([words] if words else [])
    assert alarms(replace(source, platform=Platform.ios)) == []
    if words:
        shown = page(source, "en")
        assert shown.index(words) < shown.index("What could not be seen")


def test_parts_that_do_not_belong_together_are_said_first(rich: Assessment) -> None:
    mixed = replace(rich, anomalies=(Anomaly("split.other-package", "split.apk!AndroidManifest.xml", "a b"),))
    assert [one.en.partition(":")[0] for one in alarms(mixed)] == ["The parts of this file are not of one app"]


def test_what_is_called_says_more_than_what_is_only_asked_for(rich: Assessment) -> None:
    base = next(one for one in rich.findings if one.area is Area.location)
    asked = replace(base, id="PSB-A-LOCATION-01@declaration", ladder=Ladder.declared, actor=MANIFEST)
    called = replace(base, id="PSB-A-LOCATION-04@app", capability="PSB-A-LOCATION-04", actor=APP)
    rating = replace(rich.rating, because=(), findings=(asked.id, called.id))
    source = replace(rich, findings=(asked, called), rating=rating)
    assert [(one.ladder, one.actors) for one in telling(source)] == [(Ladder.called, (APP,))]
    named = replace(rating, because=(Text(f"... ({asked.capability})", "..."),))
    assert [one.actors for one in telling(replace(source, rating=named))] == [(MANIFEST,)]
