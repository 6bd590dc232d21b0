"""Facts read from a package, before any judgement: frozen, without data packs, the same for the same bytes.

Readers fill these; ``rate`` turns them into findings. Nothing here is optional in silence: where a reader could not
read, its ``Run`` says so, and an empty tuple beside a failed ``Run`` means "not known", never "none".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from proscribe.assess.terms import Extent, FactClass, Scheme, SignatureState, SiteKind, SpecialKind
from proscribe.documents import Value


@dataclass(frozen=True, slots=True)
class Anomaly(Value):
    """Something a well-made package does not have. ``code`` is stable, e.g. ``zip.duplicate-name``."""

    code: str
    member: str = ""  # of the package; nested ones as "base.apk!classes.dex"
    detail: str = ""  # numbers and names, language-neutral


@dataclass(frozen=True, slots=True)
class Run(Value):
    """One reader over one part of the package. ``read`` of ``total`` items; ``problem`` is a stable code or ""."""

    of: FactClass
    reader: str  # e.g. "apk-info 1.0.13", "axml", "dex"
    extent: Extent
    read: int = 0
    total: int = 0
    problem: str = ""
    detail: str = ""


# ---- Android manifest ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UsesPermission(Value):
    """A permission the app asks for. ``element`` is uses-permission or uses-permission-sdk-23."""

    name: str
    element: str = "uses-permission"
    max_sdk: int | None = None
    member: str = "AndroidManifest.xml"


@dataclass(frozen=True, slots=True)
class DefinedPermission(Value):
    """A permission that the app itself defines."""

    name: str
    protection: str = ""  # as AOSP writes it: "signature|privileged"; "" means normal


@dataclass(frozen=True, slots=True)
class Meta(Value):
    """A ``meta-data`` element: its name and its value, or the member its resource resolves to."""

    name: str
    value: str = ""
    resource: str = ""  # member path, "" where it is not a file; "@0x7f..." where it could not be resolved


@dataclass(frozen=True, slots=True)
class Component(Value):
    """An activity, activity-alias, service, receiver or provider."""

    kind: str
    name: str  # fully qualified
    exported: bool | None = None  # None: not stated
    enabled: bool = True
    permission: str = ""
    process: str = ""
    target: str = ""  # of an alias
    actions: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    foreground_types: tuple[str, ...] = ()
    meta: tuple[Meta, ...] = ()
    member: str = "AndroidManifest.xml"


@dataclass(frozen=True, slots=True)
class SpecialAccess(Value):
    """Access by a settings screen or an administrator, with what its XML asks for.

    ``details``: pairs such as ``canRetrieveWindowContent=true``; ``policies``: of a device administrator.
    """

    kind: SpecialKind
    component: str = ""  # class of the service or receiver; "" where a permission alone asks
    permission: str = ""
    resource: str = ""  # member of the XML
    details: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    member: str = "AndroidManifest.xml"


@dataclass(frozen=True, slots=True)
class NetworkSecurity(Value):
    """What the app allows on the wire. ``cleartext`` is the effective answer at its target SDK."""

    cleartext: bool | None
    resource: str = ""
    cleartext_domains: tuple[str, ...] = ()
    pinned_domains: tuple[str, ...] = ()
    user_certificates: bool = False  # trusts certificates the user installed, outside debug overrides
    custom_anchors: int = 0


@dataclass(frozen=True, slots=True)
class Disagreement(Value):
    """Two parsers read the same thing differently; both answers stand, and the rating is inconclusive."""

    about: str  # package, version_code, permissions, components, ...
    ours: tuple[str, ...]  # only what the other lacks
    theirs: tuple[str, ...]
    member: str = "AndroidManifest.xml"


@dataclass(frozen=True, slots=True)
class AndroidFacts(Value):
    """The manifests of a base APK and its splits, as one app."""

    package: str
    version_name: str = ""
    version_code: str = ""
    label: str = ""
    split: str = ""
    min_sdk: int | None = None
    target_sdk: int | None = None
    max_sdk: int | None = None
    compile_sdk: int | None = None
    shared_user_id: str = ""
    debuggable: bool = False
    test_only: bool = False
    allow_backup: bool | None = None
    splits_required: bool = False
    target_sandbox: int | None = None  # targetSandboxVersion: from 2 on, Android asks for a v2 signature
    permissions: tuple[UsesPermission, ...] = ()
    defines: tuple[DefinedPermission, ...] = ()
    components: tuple[Component, ...] = ()
    special: tuple[SpecialAccess, ...] = ()
    query_packages: tuple[str, ...] = ()
    query_intents: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    network: NetworkSecurity | None = None
    disagreements: tuple[Disagreement, ...] = ()


# ---- publisher -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Certificate(Value):
    """An X.509 certificate. Times are ISO 8601 in UTC; ``key`` reads "RSA 2048" or "EC secp256r1"."""

    sha256: str  # 64 lower-case hex digits
    subject: str
    issuer: str
    serial: str
    not_before: str
    not_after: str
    key: str
    key_sha256: str
    md5: str = ""  # of the DER; a lead at best, for the sources that know a signer by nothing else


@dataclass(frozen=True, slots=True)
class SchemeResult(Value):
    """One signature scheme of one APK. ``problem`` is apksigner's issue name or ours in the same style."""

    scheme: Scheme
    state: SignatureState
    problem: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LineageStep(Value):
    """One certificate of a rotation, oldest first, with what the newer ones still grant it."""

    certificate: str  # sha256
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedSigner(Value):
    """A certificate whose signature over this very file was verified, for a range of Android API levels."""

    certificate: str
    scheme: Scheme
    min_sdk: int
    max_sdk: int | None = None
    lineage: tuple[LineageStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningFacts(Value):
    """What verification showed. ``verified`` False with ``signers`` empty: nobody's certificate may be named publisher.

    ``certificates`` holds every certificate that is named here, ``claimed`` the digests of those that merely stand in
    the file without a valid signature.
    """

    verified: bool
    schemes: tuple[SchemeResult, ...] = ()
    signers: tuple[VerifiedSigner, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    claimed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    member: str = ""


# ---- code ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DexFile(Value):
    """One dex file: its digest and its tables' sizes. ``problem`` "" or a stable code where it could not be read."""

    member: str
    sha256: str
    size: int
    version: str = ""
    strings: int = 0
    types: int = 0
    methods: int = 0
    classes: int = 0
    problem: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NativeLibrary(Value):
    """One ELF library. ``imports`` holds the watched symbols only, ``import_count`` all of them."""

    member: str
    sha256: str
    size: int
    abi: str = ""
    needed: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    import_count: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the code that matters. Not a document value: findings carry it on as evidence.

    ``subject``: the descriptor as it stands in the dex, ``Lcls;->name(args)ret`` or ``Lcls;->FIELD:Ltype;`` or the
    string. ``watch``: what of the watch list it met (``Lcls;->name``, a URI, a symbol); it differs from the subject's
    class where the call goes through a subclass. ``offset`` counts 16-bit code units from the method's first
    instruction, -1 where there is none.
    """

    kind: SiteKind
    member: str
    sha256: str
    subject: str
    watch: str
    caller: str = ""  # Lcls;->name(args)ret
    offset: int = -1
    literal: str = ""  # the constant string handed in, where it is plain to see


@dataclass(frozen=True, slots=True)
class Host(Value):
    """A host name in a string of the package. Its presence does not show that it is ever contacted."""

    host: str
    member: str
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageCount(Value):
    """How many classes the package defines under a name of up to ``depth`` parts (dots)."""

    name: str
    classes: int


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What the code holds. ``packages`` counts every class definition by its full package name."""

    dex: tuple[DexFile, ...] = ()
    native: tuple[NativeLibrary, ...] = ()
    sites: tuple[Site, ...] = ()
    hosts: tuple[Host, ...] = ()
    packages: tuple[PackageCount, ...] = ()
    reflection: int = 0  # call sites of Method.invoke, Class.forName and the like
    code_units: int = 0  # 16-bit units of instructions, each code item once
    packer_marks: tuple[str, ...] = ()  # stable codes, e.g. "packer.application-stub"
    encrypted_like: tuple[str, ...] = ()  # members that read like noise where code is expected


# ---- iOS -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UsageDescription(Value):
    """A purpose string, e.g. NSCameraUsageDescription. ``language`` "" where no translation overrides it."""

    key: str
    text: str
    member: str
    language: str = ""  # of the .lproj folder it was translated in


@dataclass(frozen=True, slots=True)
class PlistValue(Value):
    """A value in an Info.plist that asks for something, and in whose: the app's, an extension's, a Watch app's.

    ``value``: one item of a list, "true" of a switch; an extension point as ``NSExtensionPointIdentifier=bundle id``.
    """

    key: str
    value: str
    member: str


@dataclass(frozen=True, slots=True)
class Entitlement(Value):
    """``value`` is canonical JSON. ``source``: codesign-xml, codesign-der, section or profile."""

    key: str
    value: str
    source: str
    member: str


@dataclass(frozen=True, slots=True)
class AccessedApi(Value):
    """An entry of NSPrivacyAccessedAPITypes."""

    type: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CollectedData(Value):
    """An entry of NSPrivacyCollectedDataTypes."""

    type: str
    linked: bool
    tracking: bool
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrivacyManifest(Value):
    """A PrivacyInfo.xcprivacy, as its maker declares it."""

    member: str
    sha256: str
    tracking: bool
    domains: tuple[str, ...]
    apis: tuple[AccessedApi, ...]
    collected: tuple[CollectedData, ...]


@dataclass(frozen=True, slots=True)
class MachO(Value):
    """One Mach-O slice. ``imports`` holds the watched symbols only. ``encrypted``: FairPlay's cryptid is not 0.

    ``signed``: a certificate's signature is there (its chain is not verified). ``signature``: cms, ad-hoc or "" (none).
    """

    member: str
    sha256: str
    architecture: str
    encrypted: bool
    libraries: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    import_count: int = 0
    team_id: str = ""
    identifier: str = ""
    signed: bool = False
    problem: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class IosFacts(Value):
    """The main bundle of an IPA and everything inside it."""

    bundle_id: str
    version: str = ""
    build: str = ""
    name: str = ""
    minimum_os: str = ""
    executable: str = ""
    usage: tuple[UsageDescription, ...] = ()
    background_modes: tuple[str, ...] = ()
    queried_schemes: tuple[str, ...] = ()
    url_schemes: tuple[str, ...] = ()
    arbitrary_loads: bool = False
    arbitrary_loads_in: tuple[str, ...] = ()  # "web", "media", "local"
    exception_domains: tuple[str, ...] = ()
    file_sharing: bool = False
    extensions: tuple[str, ...] = ()  # NSExtensionPointIdentifier=bundle id
    open_access_keyboards: tuple[str, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    privacy: tuple[PrivacyManifest, ...] = ()
    binaries: tuple[MachO, ...] = ()
    frameworks: tuple[str, ...] = ()  # names and bundle ids of embedded frameworks: an SDK is known by either
    profile: str = ""  # kind of embedded.mobileprovision: development, ad-hoc, enterprise, store; "" for none
    team_id: str = ""
    profile_expires: str = ""  # ISO 8601, UTC
    plist_keys: tuple[str, ...] = ()  # top-level keys of the app's Info.plist that are not false
    asked: tuple[PlistValue, ...] = ()  # what the fields above hold of all Info.plists together, by member


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a reader brings back. ``facts`` None: nothing could be read, and ``runs`` says why."""

    facts: T | None
    runs: tuple[Run, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
