"""What the app allows on the wire: ``usesCleartextTraffic``, the network security config, and Android's defaults.

Rules: developer.android.com/privacy-and-security/security-config and AOSP ``NetworkSecurityConfig``. From target SDK 28
cleartext is off by default, from 24 user-installed certificates are not trusted by default; a config, where there is
one, makes Android ignore ``usesCleartextTraffic`` (since Android 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proscribe.assess.android.axml import Element, Value
from proscribe.assess.android.manifest import Sheet
from proscribe.assess.android.package import ApkSet, Unread
from proscribe.assess.android.special import Tally
from proscribe.assess.android.values import shown
from proscribe.assess.facts import NetworkSecurity

_NO_CLEARTEXT_FROM: Final = 28
_NO_USER_CERTIFICATES_FROM: Final = 24
_MAX_DEPTH: Final = 64


def read_network(apks: ApkSet, sheet: Sheet, tally: Tally) -> NetworkSecurity:
    """The effective answer at the app's target SDK (a missing one counts as the least SDK, as in Android)."""
    target = next((sdk for sdk in (sheet.facts.target_sdk, sheet.facts.min_sdk) if sdk is not None), 1)
    by_default = target < _NO_CLEARTEXT_FROM
    user_by_default = target < _NO_USER_CERTIFICATES_FROM
    if not sheet.network_reference:
        stated = sheet.uses_cleartext
        return NetworkSecurity(by_default if stated is None else stated, user_certificates=user_by_default)
    if not sheet.network_files:
        tally.total += 1
        tally.fault("manifest.unresolved", sheet.network_reference)
        return NetworkSecurity(None, sheet.network_reference)
    answers = [_read(apks, file, tally, cleartext=by_default, user=user_by_default) for file in sheet.network_files]
    return _joined(answers)


def _joined(answers: list[NetworkSecurity]) -> NetworkSecurity:
    """Configurations of one resource (by language, by version): what any of them allows."""
    stated = [each.cleartext for each in answers]
    return NetworkSecurity(
        cleartext=True if True in stated else None if None in stated else False,
        resource=answers[0].resource,
        cleartext_domains=_sorted(domain for each in answers for domain in each.cleartext_domains),
        pinned_domains=_sorted(domain for each in answers for domain in each.pinned_domains),
        user_certificates=any(each.user_certificates for each in answers),
        custom_anchors=max(each.custom_anchors for each in answers),
    )


def _read(apks: ApkSet, file: str, tally: Tally, *, cleartext: bool, user: bool) -> NetworkSecurity:
    tally.total += 1
    try:
        document = apks.open(file)
    except Unread as fault:
        tally.fault(fault.code, fault.detail)
        return NetworkSecurity(None, file)
    if document.root is None or document.broken:
        tally.fault(document.broken, file)
        return NetworkSecurity(None, file)
    tally.read += 1
    return _answer(document.root, file, cleartext=cleartext, user=user)


@dataclass(frozen=True, slots=True)
class _Config:
    """One ``domain-config`` with what it inherits."""

    domains: tuple[str, ...]
    cleartext: bool
    pinned: bool


def _answer(root: Element, file: str, *, cleartext: bool, user: bool) -> NetworkSecurity:
    base = next(root.all("base-config"), None)
    if base is not None:
        cleartext = _boolean(base.plain("cleartextTrafficPermitted"), default=cleartext)
    configs = list(_configs(root, cleartext=cleartext))
    sources = [source for element in _outside_debug(root) for source in _anchors(element)]
    base_anchors = base is not None and any(base.all("trust-anchors"))
    return NetworkSecurity(
        cleartext=cleartext,
        resource=file,
        cleartext_domains=_sorted(name for each in configs if each.cleartext for name in each.domains),
        pinned_domains=_sorted(name for each in configs if each.pinned for name in each.domains),
        user_certificates="user" in sources or (user and not base_anchors),
        custom_anchors=sum(source not in ("user", "system") for source in sources),
    )


def _outside_debug(root: Element) -> Iterator[Element]:
    """``base-config`` and every ``domain-config``, the nested ones too; not ``debug-overrides``."""
    pending = [(each, 0) for each in root.all("base-config", "domain-config")]
    while pending:
        element, depth = pending.pop()
        yield element
        if depth < _MAX_DEPTH:
            pending += [(each, depth + 1) for each in element.all("domain-config")]


def _configs(root: Element, *, cleartext: bool) -> Iterator[_Config]:
    pending = [(each, cleartext, False, 0) for each in root.all("domain-config")]
    while pending:
        element, inherited, pinned, depth = pending.pop()
        allowed = _boolean(element.plain("cleartextTrafficPermitted"), default=inherited)
        pins = pinned or any(any(each.all("pin")) for each in element.all("pin-set"))
        yield _Config(tuple(_domains(element)), allowed, pins)
        if depth < _MAX_DEPTH:
            pending += [(each, allowed, pins, depth + 1) for each in element.all("domain-config")]


def _domains(element: Element) -> Iterator[str]:
    """Names as Android compares them; ``*.`` before one that covers its subdomains."""
    for domain in element.all("domain"):
        name = domain.text.strip().lower()
        if name:
            wide = _boolean(domain.plain("includeSubdomains"), default=False)
            yield f"*.{name}" if wide else name


def _anchors(element: Element) -> Iterator[str]:
    for anchors in element.all("trust-anchors"):
        for certificates in anchors.all("certificates"):
            source = certificates.plain("src")
            yield shown(source) if source else ""


def _boolean(value: Value | None, *, default: bool) -> bool:
    """Java's ``Boolean.parseBoolean`` on text, else not zero."""
    if value is None:
        return default
    text = shown(value)
    return text.lower() == "true" if value.text else bool(value.data)


def _sorted(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
