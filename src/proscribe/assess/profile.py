"""The parts of an assessment: evidence, findings, the access map, exposure, the rating. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from proscribe.assess.facts import Certificate, DexFile, LineageStep, NativeLibrary, SchemeResult, VerifiedSigner
from proscribe.assess.terms import ActorKind, Area, Declaration, Grant, Ladder, Rating
from proscribe.canonical import Digest
from proscribe.documents import Value
from proscribe.text import Text


class PackageFormat(StrEnum):
    """Recognised by content, never by the file's name."""

    apk = "apk"
    xapk = "xapk"
    apks = "apks"  # bundletool's set, or SAI's
    apkm = "apkm"
    ipa = "ipa"


@dataclass(frozen=True, slots=True)
class Part(Value):
    """A package inside the file that was given: the base, a split, or the file itself. ``path`` "" is the file."""

    path: str
    role: str  # base, split, ipa
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Package(Value):
    """The file that was assessed."""

    format: PackageFormat
    sha256: str
    size: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Reference(Value):
    """A data pack or rubric that went into the assessment."""

    id: str
    version: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Tool(Value):
    """A program or library whose version can change what is found."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class PublisherMatch(Value):
    """What the catalogue knows of the verified signer and of the package name.

    ``relation``: ``signer`` (a verified certificate of this publisher), ``identifier`` (the name is its, no certificate
    is known to compare with), ``lookalike`` (the name is its, or nearly, and the certificate is another's).
    """

    publisher: str
    product: str
    relation: str
    basis: Text


@dataclass(frozen=True, slots=True)
class Publisher(Value):
    """Who signed the package, as far as verification shows."""

    verified: bool
    signers: tuple[VerifiedSigner, ...]
    lineage: tuple[LineageStep, ...]
    certificates: tuple[Certificate, ...]
    claimed: tuple[str, ...]  # certificates that stand in the file unverified: never a publisher
    schemes: tuple[SchemeResult, ...]
    matches: tuple[PublisherMatch, ...]
    team_id: str = ""  # iOS, as signed into the binary (Apple's chain itself is not verified)


class EvidenceKind(StrEnum):
    """What a piece of evidence is; ``recheck`` knows how to look each of them up again."""

    permission = "permission"
    component = "component"
    special_access = "special_access"
    network_config = "network_config"
    manifest = "manifest"  # another attribute of the manifest
    query = "query"
    call = "call"
    field = "field"
    string = "string"
    callback = "callback"
    reference = "reference"
    native_import = "native_import"
    class_prefix = "class_prefix"  # classes defined under a prefix, counted
    native_library = "native_library"
    plist = "plist"
    entitlement = "entitlement"
    privacy_manifest = "privacy_manifest"
    macho_import = "macho_import"
    macho_library = "macho_library"
    encryption = "encryption"
    measure = "measure"  # a count over all of the code, such as its reflective calls
    observed = "observed"


@dataclass(frozen=True, slots=True)
class Evidence(Value):
    """One thing that can be looked up again in the file. ``sha256`` is that of ``member``'s bytes.

    ``subject``: what stands there (a permission, a descriptor, a key, a string). ``caller`` and ``offset`` place it in
    code (16-bit code units from the method's start); ``detail`` holds an attribute's value, a literal or a count.
    """

    kind: EvidenceKind
    member: str
    sha256: str
    subject: str
    caller: str = ""
    offset: int = -1
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Actor(Value):
    """Whose code does it. ``sdk``: an id of the SDK catalogue; ``vendor``, ``country`` and ``operator`` are its own."""

    kind: ActorKind
    sdk: str = ""
    name: str = ""
    vendor: str = ""
    country: str = ""  # ISO 3166-1 alpha-2, of the vendor's head office
    operator: str = ""  # the company whose service the code talks to; "" for a plain library


@dataclass(frozen=True, slots=True)
class Mapping(Value):
    """Ids in a public framework, e.g. ``attack-mobile@20.0`` and T1513."""

    framework: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suppression(Value):
    """A finding set aside by a person. It stays visible; after ``expires`` it counts again."""

    reason: str
    author: str
    expires: date


@dataclass(frozen=True, slots=True)
class Release(Value):
    """A finding that may be quoted outside, and who said so."""

    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding(Value):
    """One capability of one actor. ``id`` is stable: capability, ``@``, actor (``PSB-A-SCREEN-02@tencent-tbs``).

    ``evidence`` may be cut for length; ``evidence_total`` counts all of it.
    """

    id: str
    capability: str
    area: Area
    title: Text
    ladder: Ladder
    declaration: Declaration
    grant: Grant
    actor: Actor
    evidence: tuple[Evidence, ...]
    evidence_total: int
    maps: tuple[Mapping, ...]
    caution: Text  # over-claim guard: what this does not show
    counter: tuple[Text, ...] = ()  # facts that speak against it
    suppressed: Suppression | None = None
    released: Release | None = None


@dataclass(frozen=True, slots=True)
class AreaAccess(Value):
    """One row of the access map. ``counts`` is True where the access is grantable and at its ladder, not suppressed."""

    area: Area
    ladder: Ladder  # the highest of the findings that count
    declaration: Declaration
    grant: Grant
    findings: tuple[str, ...]
    actors: tuple[str, ...]  # names for people: "the app", "Tencent TBS"
    counts: bool
    summary: Text


@dataclass(frozen=True, slots=True)
class PermissionView(Value):
    """A permission with who can ever hold it. ``protection`` as AOSP writes it, "" where no pack knows it."""

    name: str
    protection: str
    grant: Grant
    counted: bool
    why: Text


@dataclass(frozen=True, slots=True)
class SdkPresence(Value):
    """Another maker's code in the package. ``classes`` defined, ``sites`` of findings; present is not active.

    ``operator``: the company whose service the code talks to; "" for a plain library, which exposes nobody.
    """

    id: str
    name: str
    vendor: str
    country: str
    purpose: Text
    classes: int
    sites: int
    evidence: tuple[Evidence, ...]
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Operator(Value):
    """A company and who controls it, as dated and sourced rows say."""

    id: str
    name: str
    country: str
    parent: str = ""
    since: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class HostView(Value):
    """A host named in the package. Country of the operator, and what the domain's ending says: two facts."""

    host: str
    domain: str
    operator: str
    country: str
    tld_country: str
    server_country: str  # only from supplied answers; "" otherwise
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountryExposure(Value):
    """One country of the exposure axis: through whom, and under which law."""

    country: str
    name: Text
    through: tuple[str, ...]  # "publisher: Tencent", "sdk: Tencent TBS", "hosts: 9 of tencent"
    laws: tuple[Text, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exposure(Value):
    """The second axis: who could be made to use the access. Never added to the first."""

    publisher: Operator | None
    countries: tuple[CountryExposure, ...]
    hosts: tuple[HostView, ...]
    hosts_total: int
    unattributed_hosts: int


@dataclass(frozen=True, slots=True)
class RatingResult(Value):
    """The rating with the rule that fired, the facts that fired it and what would lower it."""

    rating: Rating
    rule: str
    because: tuple[Text, ...]
    findings: tuple[str, ...]
    would_lower: tuple[Text, ...]
    without_suppressions: Rating


@dataclass(frozen=True, slots=True)
class CodeSummary(Value):
    """The code, in numbers; its sites stand in the findings."""

    dex: tuple[DexFile, ...]
    native: tuple[NativeLibrary, ...]
    reflection: int
    code_units: int  # 16-bit units of instructions
    packer_marks: tuple[str, ...]
    encrypted_like: tuple[str, ...]
