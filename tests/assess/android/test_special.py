"""Special access and the network answer, with the XML they point to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from proscribe.assess.android.attributes import IDS, flags, protection
from proscribe.assess.android.reader import read_android
from proscribe.assess.facts import AndroidFacts, NetworkSecurity, Reading, Run, SpecialAccess
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.terms import Extent, FactClass, SpecialKind

MANIFEST = "AndroidManifest.xml"
Apk = Callable[..., Container]
XML = 0x7F020000


def resources(reading: Reading[AndroidFacts]) -> Run:
    return next(each for each in reading.runs if each.of is FactClass.resources)


def bound(
    axml: ModuleType, permission: str, action: str, meta: str = "", kind: str = "service", **more: object
) -> object:
    """A component as the system looks for it, its meta-data pointing to the first XML resource."""
    node = axml.Node
    children = [node("intent-filter", {}, (node("action", {"android:name": action}),))] if action else []
    if meta:
        children.append(node("meta-data", {"android:name": meta, "android:resource": axml.reference(XML)}))
    return node(kind, {"android:name": ".S", "android:permission": permission, **more}, tuple(children))


@pytest.fixture
def read(axml: ModuleType, arsc: ModuleType, make_apk: Apk) -> Callable[..., Reading[AndroidFacts]]:
    """An app whose XML resource is ``xml`` (by path; the paths are the configurations' values, default first)."""

    def go(root: object, xml: dict[str, object] | None = None) -> Reading[AndroidFacts]:
        paths = list(xml or {"res/a.xml": None})
        configurations = [(arsc.version(20 + i) if i else arsc.DEFAULT, {0: (3, path)}) for i, path in enumerate(paths)]
        members = {MANIFEST: bytes(axml.build(root).data), "resources.arsc": arsc.table(axml.pool, {2: configurations})}
        members |= {path: bytes(axml.build(tree).data) for path, tree in (xml or {}).items() if tree is not None}
        return read_android([make_apk(members)])

    return go


def special(reading: Reading[AndroidFacts]) -> tuple[SpecialAccess, ...]:
    assert reading.facts is not None
    return reading.facts.special


def accessibility(axml: ModuleType, **more: object) -> object:
    return bound(
        axml,
        "android.permission.BIND_ACCESSIBILITY_SERVICE",
        "android.accessibilityservice.AccessibilityService",
        "android.accessibilityservice",
        **more,
    )


def test_accessibility_with_what_its_xml_asks_for(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    xml = axml.Node(
        "accessibility-service",
        {
            "android:canRetrieveWindowContent": True,
            "android:canPerformGestures": False,
            "android:accessibilityEventTypes": axml.Typed(0x11, 0xFFFFFFFF),
            "android:accessibilityFlags": axml.Typed(0x11, 0x51),
            "android:accessibilityFeedbackType": axml.Typed(0x11, 0x11),
            "android:packageNames": "com.a,com.b",
        },
    )
    reading = read(axml.manifest(application=(accessibility(axml),)), {"r/x.xml": xml})
    (found,) = special(reading)
    assert (found.kind, found.component, found.resource) == (SpecialKind.accessibility, "org.example.app.S", "r/x.xml")
    assert found.details == (
        "canRetrieveWindowContent=true",
        "canPerformGestures=false",
        "accessibilityEventTypes=typeAllMask",
        "accessibilityFlags=flagDefault|flagReportViewIds|flagRetrieveInteractiveWindows",
        "accessibilityFeedbackType=feedbackSpoken|feedbackGeneric",
        "packageNames=com.a,com.b",
    )
    assert (resources(reading).extent, resources(reading).read) == (Extent.complete, 1)


def test_every_configuration_of_the_xml_is_shown(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    """A harmless default and another file for newer phones: both are there to see."""
    quiet = axml.Node("accessibility-service", {"android:canRetrieveWindowContent": False})
    loud = axml.Node("accessibility-service", {"android:canRetrieveWindowContent": True})
    found = special(read(axml.manifest(application=(accessibility(axml),)), {"res/a.xml": quiet, "res/b.xml": loud}))
    assert [(each.resource, each.details) for each in found] == [
        ("res/a.xml", ("canRetrieveWindowContent=false",)),
        ("res/b.xml", ("canRetrieveWindowContent=true",)),
    ]


def test_xml_that_is_missing_or_broken_is_never_silent(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]], make_apk: Apk
) -> None:
    root = axml.manifest(application=(accessibility(axml),))
    reading = read(root)  # the table names a file that is not there
    (found,) = special(reading)
    assert (found.resource, found.details) == ("res/a.xml", ())
    assert (resources(reading).extent, resources(reading).problem) == (Extent.failed, "zip.no-member")
    alone = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])  # no table at all
    assert (special(alone)[0].resource, resources(alone).problem) == ("@0x7f020000", "manifest.unresolved")
    built = axml.build(axml.Node("accessibility-service", {"android:canRetrieveWindowContent": True}))
    cut = bytes(built.data[:-40])
    both = read(root, {"res/a.xml": None})
    assert resources(both).extent is Extent.failed
    members = {MANIFEST: bytes(axml.build(root).data), "res/a.xml": cut}
    assert resources(read_android([make_apk(members)])).extent is Extent.failed


def test_one_xml_behind_many_services_is_read_once(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tuple(accessibility(axml, **{"android:name": f".S{index}"}) for index in range(5))
    xml = axml.Node("accessibility-service", {"android:canRetrieveWindowContent": True})
    reading = read(axml.manifest(application=services), {"res/a.xml": xml})
    assert len(special(reading)) == 5
    assert (resources(reading).read, resources(reading).total) == (1, 1)
    monkeypatch.setattr("proscribe.assess.android.package.MAX_RESOURCE_XML", 100)
    large = read(axml.manifest(application=services), {"res/a.xml": xml})
    assert (resources(large).extent, resources(large).problem) == (Extent.failed, "zip.too-large")
    monkeypatch.setattr("proscribe.assess.android.package.MAX_ALL_XML", 1000)
    short = read(axml.manifest(), {"res/a.xml": xml})
    assert short.runs[0].problem == "zip.too-large"


def test_what_keeps_the_system_from_finding_it(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    service = bound(axml, "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE", "", **{"android:enabled": False})
    (found,) = special(read(axml.manifest(application=(service,))))
    assert (found.kind, found.details) == (SpecialKind.notification_listener, ("enabled=false", "action=absent"))


def test_device_admin_with_its_policies(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    receiver = bound(
        axml,
        "android.permission.BIND_DEVICE_ADMIN",
        "android.app.action.DEVICE_ADMIN_ENABLED",
        "android.app.device_admin",
        kind="receiver",
    )
    xml = axml.Node(
        "device-admin", {}, (axml.Node("uses-policies", {}, (axml.Node("wipe-data"), axml.Node("force-lock"))),)
    )
    (found,) = special(read(axml.manifest(application=(receiver,)), {"res/a.xml": xml}))
    assert (found.kind, found.policies, found.details) == (SpecialKind.device_admin, ("wipe-data", "force-lock"), ())


@pytest.mark.parametrize(
    ("permission", "action", "kind"),
    [
        ("android.permission.BIND_VPN_SERVICE", "android.net.VpnService", SpecialKind.vpn),
        ("android.permission.BIND_INPUT_METHOD", "android.view.InputMethod", SpecialKind.input_method),
        ("android.permission.BIND_AUTOFILL_SERVICE", "android.service.autofill.AutofillService", SpecialKind.autofill),
    ],
)
def test_services_only_the_system_may_bind(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]], permission: str, action: str, kind: SpecialKind
) -> None:
    (found,) = special(read(axml.manifest(application=(bound(axml, permission, action),))))
    assert (found.kind, found.permission, found.details) == (kind, permission, ())


def test_a_permission_on_the_wrong_kind_of_component_gives_nothing(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]
) -> None:
    activity = bound(axml, "android.permission.BIND_VPN_SERVICE", "android.net.VpnService", kind="activity")
    assert special(read(axml.manifest(application=(activity,)))) == ()


def test_what_permissions_alone_ask_for(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    names = ("PACKAGE_USAGE_STATS", "MANAGE_EXTERNAL_STORAGE", "SYSTEM_ALERT_WINDOW", "SYSTEM_ALERT_WINDOW")
    names += ("REQUEST_INSTALL_PACKAGES", "QUERY_ALL_PACKAGES", "WRITE_SETTINGS", "BIND_ACCESSIBILITY_SERVICE")
    asked = [axml.Node("uses-permission", {"android:name": f"android.permission.{name}"}) for name in names]
    assert [each.kind for each in special(read(axml.manifest(*asked)))] == [
        SpecialKind.usage_access,
        SpecialKind.all_files,
        SpecialKind.overlay,
        SpecialKind.install_packages,
        SpecialKind.query_all_packages,
        SpecialKind.write_settings,
    ]


# ---- network -------------------------------------------------------------------------------------------------------


def network(reading: Reading[AndroidFacts]) -> NetworkSecurity:
    assert reading.facts is not None
    assert reading.facts.network is not None
    return reading.facts.network


def targeting(axml: ModuleType, target: int | None, **application: object) -> object:
    levels = {} if target is None else {"android:targetSdkVersion": target}
    return axml.manifest(axml.Node("uses-sdk", levels), **application)


@pytest.mark.parametrize(
    ("target", "stated", "cleartext", "user"),
    [
        (None, None, True, True),
        (23, None, True, True),
        (27, None, True, False),
        (28, None, False, False),
        (34, True, True, False),
        (27, False, False, False),
    ],
)
def test_androids_defaults_at_the_target_sdk(
    axml: ModuleType,
    read: Callable[..., Reading[AndroidFacts]],
    target: int | None,
    stated: bool | None,
    cleartext: bool,
    user: bool,
) -> None:
    application = {} if stated is None else {"usesCleartextTraffic": stated}
    found = network(read(targeting(axml, target, **application)))
    assert (found.cleartext, found.user_certificates, found.resource) == (cleartext, user, "")


def test_a_config_with_everything(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    node = axml.Node

    def certificates(source: object) -> object:
        return node("trust-anchors", {}, (node("certificates", {"src": source}),))

    config = node(
        "network-security-config",
        {},
        (
            node("base-config", {"cleartextTrafficPermitted": "false"}, (certificates("system"),)),
            node(
                "domain-config",
                {"cleartextTrafficPermitted": axml.Typed(0x12, 0xFFFFFFFF)},
                (
                    node("domain", {"includeSubdomains": "true"}, (" Example.ORG ",)),
                    node(
                        "domain-config",
                        {},
                        (node("domain", {}, ("inner.example.org",)), certificates(axml.reference(0x7F030000))),
                    ),
                    node(
                        "domain-config",
                        {"cleartextTrafficPermitted": "false"},
                        (node("domain", {}, ("safe.example.org",)),),
                    ),
                ),
            ),
            node(
                "domain-config",
                {},
                (node("domain", {}, ("pinned.example",)), node("pin-set", {}, (node("pin", {}, ("x",)),))),
            ),
            node("debug-overrides", {}, (certificates("user"),)),
        ),
    )
    found = network(
        read(
            targeting(axml, 34, networkSecurityConfig=axml.reference(XML), usesCleartextTraffic=True),
            {"res/n.xml": config},
        )
    )
    assert found == NetworkSecurity(
        cleartext=False,
        resource="res/n.xml",
        cleartext_domains=("*.example.org", "inner.example.org"),
        pinned_domains=("pinned.example",),
        user_certificates=False,
        custom_anchors=1,
    )


def test_user_certificates_of_a_config(axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]) -> None:
    node = axml.Node
    trust = node("trust-anchors", {}, (node("certificates", {"src": "user"}), node("certificates", {"src": "system"})))
    root = targeting(axml, 34, networkSecurityConfig=axml.reference(XML))
    for inside in (node("base-config", {}, (trust,)), node("domain-config", {}, (node("domain", {}, ("a.b",)), trust))):
        assert network(read(root, {"res/n.xml": node("network-security-config", {}, (inside,))})).user_certificates
    assert not network(read(root, {"res/n.xml": node("network-security-config")})).user_certificates


def test_of_several_configurations_the_widest_answer_stands(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]]
) -> None:
    def config(answer: str) -> object:
        return axml.Node(
            "network-security-config", {}, (axml.Node("base-config", {"cleartextTrafficPermitted": answer}),)
        )

    root = targeting(axml, 34, networkSecurityConfig=axml.reference(XML))
    found = network(read(root, {"res/a.xml": config("false"), "res/b.xml": config("true")}))
    assert (found.cleartext, found.resource) == (True, "res/a.xml")


def test_a_config_that_cannot_be_read_gives_no_answer(
    axml: ModuleType, read: Callable[..., Reading[AndroidFacts]], make_apk: Apk
) -> None:
    root = targeting(axml, 34, networkSecurityConfig=axml.reference(XML))
    missing = read(root)
    assert network(missing).cleartext is None
    assert resources(missing).problem == "zip.no-member"
    unresolved = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])
    assert (network(unresolved).cleartext, network(unresolved).resource) == (None, "@0x7f020000")
    assert resources(unresolved).extent is Extent.failed


def test_a_split_can_hold_the_xml(axml: ModuleType, arsc: ModuleType, make_apk: Apk) -> None:
    """Resources of a nested base are looked for in every part, and named with the part they lie in."""
    root = axml.manifest(application=(accessibility(axml),))
    xml = axml.Node("accessibility-service", {"android:canRetrieveWindowContent": True})
    table = arsc.table(axml.pool, {2: [(arsc.DEFAULT, {0: (3, "res/q.xml")})]})
    part = axml.Node("manifest", {"package": "org.example.app", "android:versionCode": 7, "split": "config.xhdpi"})
    reading = read_android(
        [
            make_apk({MANIFEST: bytes(axml.build(root).data)}, "base.apk"),
            make_apk(
                {
                    MANIFEST: bytes(axml.build(part).data),
                    "resources.arsc": table,
                    "res/q.xml": bytes(axml.build(xml).data),
                },
                "split.apk",
            ),
        ]
    )
    (found,) = special(reading)
    assert (found.resource, found.details) == ("split.apk!res/q.xml", ("canRetrieveWindowContent=true",))


# ---- against what others know --------------------------------------------------------------------------------------


@pytest.mark.samples
def test_the_special_access_of_a_real_app(samples: Path) -> None:
    path = samples / "apk" / "Yosemite.apk"
    found = special(read_android([open_container(path.read_bytes(), path=str(path))]))
    assert {each.kind for each in found} == {
        SpecialKind.accessibility,
        SpecialKind.input_method,
        SpecialKind.all_files,
        SpecialKind.overlay,
        SpecialKind.write_settings,
    }
    service = next(each for each in found if each.kind is SpecialKind.accessibility)
    assert service.resource == "res/FY.xml"
    assert "canRetrieveWindowContent=true" in service.details


def test_attribute_ids_are_those_of_the_framework() -> None:
    """androguard carries AOSP's public.xml up to API 27."""
    public = pytest.importorskip("androguard.core.resources.public")
    known = public.SYSTEM_RESOURCES["attributes"]["forward"]
    shared = {name: known[name] for name in IDS if name in known}
    assert shared == {name: IDS[name] for name in shared}
    assert len(shared) > 35


def test_flags_keep_bits_without_a_name() -> None:
    assert flags(0x10000001, ((1, "one"),)) == ("one", "0x10000000")
    assert flags(0, ((1, "one"),)) == ()


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (0, ""),
        (1, "dangerous"),
        (2, "signature"),
        (3, "signature|privileged"),
        (0x12, "signature|privileged"),
        (0x13, "signature|privileged"),
        (0x1000, "normal|instant"),
        (0x04000012, "signature|privileged|role"),
        (4, "internal"),
        (0xF, "0xf"),
    ],
)
def test_protection_levels_as_aosp_writes_them(level: int, text: str) -> None:
    assert protection(level) == text
