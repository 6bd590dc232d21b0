"""Activities, aliases, services, receivers and providers, with what they inherit from the application element."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proscribe.assess.android.attributes import FOREGROUND, flags
from proscribe.assess.android.axml import Element, Value
from proscribe.assess.android.package import ApkSet
from proscribe.assess.android.values import Values, shown
from proscribe.assess.facts import Component, Meta

KINDS: Final = ("activity", "activity-alias", "service", "receiver", "provider")
_MAX_META: Final = 8  # configurations of one meta-data's resource


def class_name(package: str, name: str) -> str:
    """A class as the manifest names it, in full (AOSP ``ParsingUtils.buildClassName``)."""
    if name.startswith("."):
        return package + name
    return f"{package}.{name}" if name and "." not in name else name


class ComponentReader:
    """Reads the components of one APK. ``nameless`` counts those that name no class: Android refuses the package."""

    def __init__(self, apks: ApkSet, values: Values, package: str, member: str) -> None:
        self._apks = apks
        self._values = values
        self._package = package
        self._member = member
        self.nameless = 0

    def read(self, application: Element) -> tuple[Component, ...]:
        """Every component that has a name, in the order of the manifest."""
        values = self._values
        enabled = values.flag(application, "enabled") is not False
        permission = values.text(application, "permission")
        process = self._process(values.text(application, "process"))
        found = []
        for element in application.all(*KINDS):
            name = values.name(element)
            if name:
                found.append(self._component(element, name, enabled=enabled, permission=permission, process=process))
            else:
                self.nameless += 1
        return tuple(found)

    def _component(self, element: Element, name: str, *, enabled: bool, permission: str, process: str) -> Component:
        values, kind = self._values, element.tag
        filters = list(element.all("intent-filter"))
        provider = kind == "provider"
        own = values.text(element, "permission")
        return Component(
            kind=kind,
            name=class_name(self._package, name),
            exported=values.flag(element, "exported"),
            enabled=enabled and values.flag(element, "enabled") is not False,
            permission=(values.text(element, "readPermission") if provider else "") or own or permission,
            process=self._process(values.text(element, "process")) or process,
            target=class_name(self._package, values.name(element, "targetActivity")) if kind.endswith("alias") else "",
            actions=self._of_filters(filters, "action", "name"),
            schemes=self._of_filters(filters, "data", "scheme"),
            authorities=_listed(values.text(element, "authorities")) if provider else (),
            foreground_types=self._foreground(element) if kind == "service" else (),
            meta=self.meta(element),
            member=self._member,
        )

    def meta(self, element: Element) -> tuple[Meta, ...]:
        """The ``meta-data`` of an element; one that differs between configurations once for each file."""
        return tuple(each for child in element.all("meta-data") for each in self._meta(child))

    def _meta(self, element: Element) -> Iterable[Meta]:
        values = self._values
        name = values.text(element, "name")
        resource = element.get("resource")
        if resource is None:
            return (Meta(name, values.text(element, "value")),)
        found = values.found(element, "resource")[:_MAX_META]
        if not found:
            return (Meta(name, resource=shown(resource)),)
        files = dict.fromkeys(file for each in found if (file := self._apks.file(each)))
        return [Meta(name, resource=file) for file in files] or (Meta(name, shown(found[0].value)),)

    def _process(self, name: str) -> str:
        """A private process (":x") in full; "" for the app's own."""
        full = self._package + name if name.startswith(":") else name
        return "" if full == self._package else full

    def _of_filters(self, filters: list[Element], tag: str, attribute: str) -> tuple[str, ...]:
        texts = (self._values.text(child, attribute) for each in filters for child in each.all(tag))
        return tuple(dict.fromkeys(text for text in texts if text))

    def _foreground(self, element: Element) -> tuple[str, ...]:
        number = self._values.number(element, "foregroundServiceType")
        return flags(number & 0xFFFFFFFF, FOREGROUND) if number else ()


def _listed(text: str) -> tuple[str, ...]:
    """Authorities stand in one string, divided by semicolons."""
    return tuple(part for part in text.split(";") if part)


def file_of(apks: ApkSet, values: Values, element: Element, name: str) -> tuple[tuple[str, ...], Value | None]:
    """The members a reference names, default configuration first, with the bare value (None: no such attribute)."""
    found = values.found(element, name)
    return tuple(dict.fromkeys(file for each in found if (file := apks.file(each)))), element.get(name)
