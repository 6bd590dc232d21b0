"""Who makes what, and by which identifiers it is known on a device. Types only; see ``resolve`` and ``match``.

Identifiers are facts with a source and a confidence. Public lists are often wrong (governance.md section 5), so nothing
of low confidence and nothing in an open conflict may ever drive a removal: ``Target.actionable`` says so once, for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.terms import Platform
from proscribe.text import Text


class Confidence(StrEnum):
    """How well an identifier is sourced."""

    high = "high"
    medium = "medium"
    low = "low"


class IdentifierType(StrEnum):
    """What an identifier identifies. Only the first block can be found in a phone's app list."""

    android_package = "android_package"
    android_package_glob = "android_package_glob"
    android_cert_sha256 = "android_cert_sha256"  # 64 lower-case hex digits, no colons
    ios_bundle_id = "ios_bundle_id"
    ios_bundle_glob = "ios_bundle_glob"
    apple_team_id = "apple_team_id"
    app_store_id = "app_store_id"
    app_name = "app_name"  # for sources that give names only (Intune)
    macos_bundle_id = "macos_bundle_id"
    # kept for the record and for later stages (network, desktop); never matched against a phone's app list
    android_cert_md5 = "android_cert_md5"
    macos_system_extension = "macos_system_extension"
    winget_id = "winget_id"
    windows_store_id = "windows_store_id"
    windows_appx_pattern = "windows_appx_pattern"
    windows_signer_name = "windows_signer_name"
    ios_skadnetwork_id = "ios_skadnetwork_id"
    domain = "domain"


@dataclass(frozen=True, slots=True)
class Identifier(Value):
    """One identifier with everything known about its worth."""

    type: IdentifierType
    value: str
    platform: Platform
    confidence: Confidence
    sources: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None
    note: Text | None = None
    collateral: Text | None = None  # what else it names: read before anything is blocked by it
    conflict: str = ""  # id of a conflict record


@dataclass(frozen=True, slots=True)
class Source(Value):
    """Where facts of the catalogue come from: what was read, at which revision, under what licence."""

    id: str
    what: Text
    where: str = ""  # an address or a repository path; "" for an archived public file without a stable address
    revision: str = ""
    read_on: date | None = None
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Claim(Value):
    """One of the values that sources give for the same thing, and who gives it."""

    value: str
    given_by: str


@dataclass(frozen=True, slots=True)
class Conflict(Value):
    """Sources that contradict each other. While it is open, no identifier that names it is actionable."""

    id: str
    about: Text
    claims: tuple[Claim, ...]
    lean: str  # the claim that looks right, "" when none does
    why: Text
    open: bool = True


@dataclass(frozen=True, slots=True)
class Group(Value):
    """A named set of products: a publisher's suite, or a category that cuts across publishers."""

    id: str  # kaspersky/suite for a suite, ai-assistant for a category
    name: Text
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Product(Value):
    """A product of a publisher; ``suites`` are the named groups it belongs to."""

    id: str  # e.g. tencent/wechat
    name: str
    status: str  # active | retired | delisted | unknown
    identifiers: tuple[Identifier, ...]
    names: tuple[str, ...] = ()  # names under which inventories list it
    suites: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Publisher(Value):
    """A publisher with its products and the identifiers that hold for all of them."""

    id: str  # e.g. tencent
    name: str
    country_of_control: str
    legal_names: tuple[str, ...]
    products: tuple[Product, ...]
    identifiers: tuple[Identifier, ...] = ()
    note: Text | None = None


class SelectorKind(StrEnum):
    """How a directive points at what it bans."""

    product = "product"  # value: product id
    suite = "suite"  # value: suite id, e.g. kaspersky/suite
    publisher = "publisher"  # value: publisher id; all present and later products
    glob = "glob"  # value: identifier glob, e.g. com.kaspersky.*; without a star one exact identifier
    certificate = "certificate"  # value: Android signing certificate SHA-256
    team = "team"  # value: Apple team id
    name = "name"  # value: app name as listed
    category = "category"  # value: category id; resolves only to listed products


@dataclass(frozen=True, slots=True)
class Selector(Value):
    """One pointer of a directive, optionally to one platform only."""

    kind: SelectorKind
    value: str
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Target(Value):
    """One identifier a directive bans, and why it is there.

    ``actionable`` is False for low confidence, an open conflict, or an identifier that names more than the ban does;
    such a target is looked for and reported, but never drives a change on a device.
    """

    id: str  # stable within the set: "<type>:<platform>:<value>"
    type: IdentifierType
    value: str
    platform: Platform
    confidence: Confidence
    publisher: str  # publisher id, "" when the selector named none
    product: str  # product id, "" when the identifier stands for the whole publisher
    label: str  # what to show a person, e.g. "WeChat"
    why: tuple[Text, ...]
    sources: tuple[str, ...]
    actionable: bool
    not_actionable_because: Text | None = None
    collateral: str = ""
    lead: bool = False  # leads to look-alikes only (a product's signer): what it finds is never the banned app itself


@dataclass(frozen=True, slots=True)
class Unresolved(Value):
    """A selector, or part of one, that leads to nothing that can be looked for."""

    selector: Selector
    reason: Text


@dataclass(frozen=True)
class TargetSet(Document):
    """What a directive means, in exact identifiers, at one moment. Frozen: a later catalogue gives another set."""

    KIND: ClassVar[str] = "proscribe.target-set"

    directive: str  # directive id, "" for an ad-hoc resolution
    directive_version: int
    catalogue: Digest
    resolved_at: datetime
    selectors: tuple[Selector, ...]
    targets: tuple[Target, ...]
    unresolved: tuple[Unresolved, ...] = ()
    notes: tuple[Text, ...] = ()
    siblings: tuple[str, ...] = ()  # ids, as in Target.id, of the publishers' other products: known, so no look-alikes
    publisher_names: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # publisher id -> names a source may write
    reviewed_by: str = ""  # role that approved the set; "" means not reviewed and therefore not executable
    reviewed_on: date | None = None


class MatchKind(StrEnum):
    """How an installed app was recognised. Never mixed in a count: each kind is shown apart."""

    exact_id = "exact_id"  # package name, bundle id or store id
    signer = "signer"  # Android signing certificate or Apple team
    glob = "glob"
    name_only = "name_only"  # the source gives no identifier
    lookalike_signer = "lookalike_signer"  # same signer under another package name
    lookalike_name = "lookalike_name"  # same name under another identifier
    lookalike_homoglyph = "lookalike_homoglyph"  # the name only looks the same

    @property
    def is_violation(self) -> bool:
        """Whether a match of this kind is the banned app itself rather than something to look into."""
        return self in (MatchKind.exact_id, MatchKind.signer, MatchKind.glob, MatchKind.name_only)


@dataclass(frozen=True, slots=True)
class AppIdentity(Value):
    """What a source says an app is. Empty text means that the source does not say."""

    platform: Platform
    app_id: str = ""  # package name or bundle id
    name: str = ""
    signer: str = ""  # Android certificate SHA-256 (lower-case hex, no colons) or Apple team id
    store_id: str = ""
    publisher: str = ""  # as the source writes it


@dataclass(frozen=True, slots=True)
class Match(Value):
    """An identity met a target."""

    directive: str
    target: str  # Target.id
    product: str
    kind: MatchKind
    confidence: Confidence
    actionable: bool
