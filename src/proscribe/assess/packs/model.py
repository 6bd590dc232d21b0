"""Rows of the data packs. A pack is a JSON Lines file: a header line, then one row a line, sorted by key.

One row a line keeps reviews and ``git diff`` readable and loads in milliseconds. A row without a source does not load.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proscribe.assess.terms import Area, Grant
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Where rows come from. ``licence`` is an SPDX expression."""

    id: str
    what: Text
    where: str
    revision: str
    licence: str


@dataclass(frozen=True, slots=True)
class PackHeader:
    """First line of a pack. ``version`` is ``YYYY.MM.N``; ``licence`` that of the pack as a whole."""

    pack: str
    version: str
    licence: str
    about: Text
    sources: tuple[SourceRow, ...]
    api_level: int = 0  # the newest Android API level the pack knows; 0 where that means nothing


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """Pack ``permissions``. ``protection`` as AOSP's newest listed level writes it; ``grant`` who can hold it."""

    name: str
    protection: str
    grant: Grant
    source: str
    since: int = 0  # API level, 0 unknown
    until: int = 0  # last API level that has it, 0 still there


class ApiKind(StrEnum):
    """What a row of the ``apis`` pack names, and so where it is looked for."""

    method = "method"  # Lcls;->name, any overload
    field = "field"  # Lcls;->NAME
    callback = "callback"  # a method that a subclass of Lcls; defines and the system calls
    uri = "uri"  # a content URI, as the start of a string
    string = "string"  # an exact string (an intent action, a settings key)
    native = "native"  # an ELF symbol
    macho = "macho"  # a Mach-O symbol, with its leading underscore
    library = "library"  # a Mach-O library path's last part


@dataclass(frozen=True, slots=True)
class ApiRow:
    """Pack ``apis``: one API and the capability it serves. ``permission``: any of these is needed (empty: none)."""

    kind: ApiKind
    watch: str  # "Landroid/location/LocationManager;->getLastKnownLocation", "content://sms", ...
    capability: str
    source: str
    permission: tuple[str, ...] = ()
    argument: str = ""  # only where the literal argument starts with this
    signature: str = ""  # only the overload with these parameters, "(Ljava/lang/String;)"; "" any
    unless: tuple[str, ...] = ()  # not where the caller is in one of these dotted packages or classes: mere wrappers


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """Pack ``capabilities``: what findings are about.

    ``declared_by``: ``permission:<name>``, ``special:<kind>`` (``special:<kind>:<detail>`` where a detail or policy of
    its XML must be there, e.g. ``special:accessibility:canRetrieveWindowContent=true``), ``query:all``, ``query:any``,
    ``network:cleartext``, ``network:user_certificates``, ``boot``, ``foreground:<type>``, ``plist:<key>``,
    ``entitlement:<key>``, ``background:<mode>``, ``ats:arbitrary``, ``schemes:any``, ``keyboard:open_access``; any of
    them declares it. What the package shows as a whole stands there too: ``code:packer``, ``code:encrypted``,
    ``code:reflection`` (denser than the rubric allows), ``code:fairplay``, ``sdk:any``. Empty with
    ``needs_declaration`` False: nothing has to be declared. ``grant`` is the grant where no permission decides it.
    """

    id: str  # PSB-A-SCREEN-02 (A Android, I iOS), never reused
    platform: str  # android | ios
    area: Area
    title: Text
    caution: Text
    grant: Grant
    needs_declaration: bool
    declared_by: tuple[str, ...]
    maps: tuple[tuple[str, tuple[str, ...]], ...]  # framework@version -> ids
    source: str
    lower: Text | None = None  # what would take this finding away, for "what would lower it"


@dataclass(frozen=True, slots=True)
class SdkRow:
    """Pack ``sdks``. ``prefixes`` are dotted package prefixes; the longest one that fits a caller wins."""

    id: str
    name: str
    vendor: str
    country: str  # ISO 3166-1 alpha-2 of the head office, "" unknown
    purpose: Text
    category: str
    prefixes: tuple[str, ...]
    evidence_class: str  # package (classes in the dex), component, native, framework (iOS)
    source: str
    reviewed: str  # YYYY-MM-DD
    operator: str = ""  # id in the operators pack, of who runs a service it talks to; "" for code that needs none
    components: tuple[str, ...] = ()
    native: tuple[str, ...] = ()  # library file names
    frameworks: tuple[str, ...] = ()  # iOS framework names or bundle ids


@dataclass(frozen=True, slots=True)
class HostRow:
    """Pack ``hosts``: a domain and everything under it, to its operator. The longest domain that fits wins."""

    domain: str
    operator: str
    source: str
    purpose: str = ""  # cdn, push, ads, analytics, maps, payment, ...


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """Pack ``operators``. ``publisher`` is the catalogue's id where it has one; ``since`` dates ``parent``."""

    id: str
    name: str
    country: str
    source: str
    parent: str = ""
    since: str = ""
    publisher: str = ""


@dataclass(frozen=True, slots=True)
class JurisdictionRow:
    """Pack ``jurisdictions``: a country, and laws by which it can compel a company to give access or help."""

    country: str
    name: Text
    laws: tuple[Text, ...]
    source: str
    tld: str = ""  # endings of domain names, in ASCII form, parted by spaces: "ru su xn--p1ai"


PACKS: tuple[str, ...] = ("permissions", "apis", "capabilities", "sdks", "hosts", "operators", "jurisdictions")
