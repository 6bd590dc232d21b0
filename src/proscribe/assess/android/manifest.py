"""One APK's manifest as facts: what Android's package parser takes from it, and where from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from proscribe.assess.android.attributes import protection
from proscribe.assess.android.axml import Element
from proscribe.assess.android.components import ComponentReader, file_of
from proscribe.assess.android.package import MANIFEST, ApkSet, Unread
from proscribe.assess.android.values import Values, shown
from proscribe.assess.facts import AndroidFacts, Anomaly, DefinedPermission, UsesPermission
from proscribe.assess.intake.container import Container

T = TypeVar("T")

_PERMISSIONS: Final = ("uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m")
_LIBRARIES: Final = ("uses-library", "uses-native-library", "uses-static-library", "uses-sdk-library", "uses-package")
_SPLITS_REQUIRED: Final = "com.android.vending.splits.required"
_INTENT_PARTS: Final = (
    ("action", "name", "action"),
    ("category", "name", "category"),
    ("data", "scheme", "scheme"),
    ("data", "host", "host"),
    ("data", "mimeType", "mimeType"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The manifest of one APK. ``facts`` holds no special access and no network answer yet: those need more files.

    ``broken``: a stable code where Android would not have taken this manifest, or not all of it was understood.
    ``network_files``: members of the network security config, by configuration; ``network_reference``: as the manifest
    has it, "" for none; ``uses_cleartext``: None where not stated.
    """

    facts: AndroidFacts
    member: str
    broken: str = ""
    required_split_types: tuple[str, ...] = ()
    split_types: tuple[str, ...] = ()
    network_reference: str = ""
    network_files: tuple[str, ...] = ()
    uses_cleartext: bool | None = None


def read_sheet(apks: ApkSet, position: int) -> Sheet:
    """The manifest of one APK of the set. Raises Unread."""
    apk = apks.apks[position]
    document = apks.document(apk, MANIFEST)
    root = document.root
    if root is None or root.tag != "manifest":
        raise Unread("manifest.no-manifest", apk.member(MANIFEST))
    sheet = _Reader(apks, Values(apks.resources(position)), apk, root).sheet()
    if not sheet.facts.package:
        raise Unread("manifest.no-package", sheet.member)
    return replace(sheet, broken=document.broken)


class _Reader:
    def __init__(self, apks: ApkSet, values: Values, apk: Container, root: Element) -> None:
        self._apks = apks
        self._values = values
        self._root = root
        self._member = apk.member(MANIFEST)
        self._package = self._plain("package")
        applications = list(root.all("application"))
        self._application = applications[0] if applications else None
        if len(applications) > 1:
            # Android takes the first and skips the others.
            self._odd("manifest.second-application", str(len(applications)))

    def sheet(self) -> Sheet:
        required, provided = (_types(self._values.text(self._root, n)) for n in ("requiredSplitTypes", "splitTypes"))
        application, values = self._application, self._values
        facts = self._facts(required=required)
        if values.referenced:
            self._odd("manifest.referenced-name", str(values.referenced))
        if application is None:
            return Sheet(facts, self._member, "", required, provided)
        files, reference = file_of(self._apks, values, application, "networkSecurityConfig")
        return Sheet(
            facts,
            self._member,
            required_split_types=required,
            split_types=provided,
            network_reference=shown(reference) if reference else "",
            network_files=files,
            uses_cleartext=values.flag(application, "usesCleartextTraffic"),
        )

    def _odd(self, code: str, detail: str) -> None:
        self._apks.anomalies.append(Anomaly(code, self._member, detail))

    def _plain(self, name: str) -> str:
        value = self._root.plain(name)
        return shown(value) if value else ""

    def _facts(self, *, required: tuple[str, ...]) -> AndroidFacts:
        values, root, application = self._values, self._root, self._application
        least, target, most = self._sdk()
        reader = ComponentReader(self._apks, values, self._package, self._member)
        components = reader.read(application) if application is not None else ()
        if reader.nameless:
            self._odd("manifest.nameless-component", str(reader.nameless))
        return AndroidFacts(
            package=self._package,
            version_name=values.text(root, "versionName"),
            version_code=self._version_code(),
            label=values.text(application, "label") if application is not None else "",
            split=self._plain("split"),
            min_sdk=least,
            target_sdk=target,
            max_sdk=most,
            compile_sdk=self._compile_sdk(),
            shared_user_id=values.text(root, "sharedUserId"),
            debuggable=self._flag("debuggable") is True,
            test_only=self._flag("testOnly") is True,
            allow_backup=self._flag("allowBackup"),
            splits_required=bool(required) or self._says_splits_required(reader),
            target_sandbox=values.number(root, "targetSandboxVersion"),
            permissions=_distinct(self._permissions()),
            defines=_distinct(self._defines()),
            components=components,
            query_packages=self._names(root.all("queries"), "package"),
            query_intents=_distinct(self._queries()),
            features=self._names([root], "uses-feature"),
            libraries=self._names([application], *_LIBRARIES) if application is not None else (),
        )

    def _flag(self, name: str) -> bool | None:
        return self._values.flag(self._application, name) if self._application is not None else None

    def _version_code(self) -> str:
        """``versionCodeMajor`` stands in the upper 32 bits, as in ``PackageInfo.getLongVersionCode``."""
        code = self._values.number(self._root, "versionCode")
        major = self._values.number(self._root, "versionCodeMajor") or 0
        if code is None:
            return ""
        return str((major & 0xFFFFFFFF) << 32 | code & 0xFFFFFFFF) if major else str(code)

    def _compile_sdk(self) -> int | None:
        stated = self._values.number(self._root, "compileSdkVersion")
        built = self._plain("platformBuildVersionCode")
        return stated if stated is not None or not built.isdecimal() or len(built) > 9 else int(built)

    def _sdk(self) -> tuple[int | None, int | None, int | None]:
        """The levels of the last ``uses-sdk``: Android lets a later one replace an earlier one."""
        elements = list(self._root.all("uses-sdk"))
        if not elements:
            return None, None, None
        if len(elements) > 1:
            self._odd("manifest.second-uses-sdk", str(len(elements)))
        number, last = self._values.number, elements[-1]
        return number(last, "minSdkVersion"), number(last, "targetSdkVersion"), number(last, "maxSdkVersion")

    def _says_splits_required(self, components: ComponentReader) -> bool:
        if self._values.flag(self._root, "isSplitRequired"):
            return True
        meta = components.meta(self._application) if self._application is not None else ()
        return any(each.name == _SPLITS_REQUIRED and each.value == "true" for each in meta)

    def _permissions(self) -> Iterator[UsesPermission]:
        for element in self._root.all(*_PERMISSIONS):
            name = self._values.name(element)
            if name:
                kind = "uses-permission" if element.tag == "uses-permission" else "uses-permission-sdk-23"
                yield UsesPermission(name, kind, self._values.number(element, "maxSdkVersion") or None, self._member)

    def _defines(self) -> Iterator[DefinedPermission]:
        for element in self._root.all("permission"):
            name = self._values.name(element)
            if name:
                level = self._values.number(element, "protectionLevel") or 0
                yield DefinedPermission(name, protection(level & 0xFFFFFFFF))

    def _queries(self) -> Iterator[str]:
        """``action=...;scheme=...`` for each intent, ``authorities=...`` for each provider."""
        for queries in self._root.all("queries"):
            for element in queries.all("intent", "provider"):
                text = self._values.text
                if element.tag == "provider":
                    yield f"authorities={text(element, 'authorities')}"
                    continue
                yield ";".join(
                    f"{word}={text(child, attribute)}"
                    for tag, attribute, word in _INTENT_PARTS
                    for child in element.all(tag)
                    if child.get(attribute) is not None
                )

    def _names(self, parents: Iterable[Element], *tags: str) -> tuple[str, ...]:
        return _distinct(name for each in parents for child in each.all(*tags) if (name := self._values.name(child)))


def _types(text: str) -> tuple[str, ...]:
    return _distinct(part.strip() for part in text.split(",") if part.strip())


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
