"""A small, whole set of packs to break in every way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.packs.model import PACKS

AREA, GRANT = "location", "prompt"

ROWS: dict[str, list[dict[str, Any]]] = {
    "permissions": [{"name": "android.permission.X", "protection": "dangerous", "grant": GRANT, "source": "s"}],
    "apis": [
        {"kind": "callback", "watch": "La/Service;->onEvent", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "field", "watch": "La/Build;->SERIAL", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "library", "watch": "CoreLocation", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "macho", "watch": "_thing", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "method", "watch": "La/Manager;->get", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "native", "watch": "dlopen", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "string", "watch": "a.intent", "capability": "PSB-A-LOCATION-01", "source": "s"},
        {"kind": "uri", "watch": "content://sms", "capability": "PSB-A-LOCATION-01", "source": "s"},
    ],
    "capabilities": [
        {
            "id": "PSB-A-LOCATION-01",
            "platform": "android",
            "area": AREA,
            "title": {"en": "Location", "fr": "Position"},
            "caution": {"en": "May.", "fr": "Peut."},
            "grant": GRANT,
            "needs_declaration": True,
            "declared_by": ["permission:android.permission.X"],
            "maps": [["attack-mobile@20.0", ["T1430"]]],
            "source": "s",
        }
    ],
    "sdks": [
        {
            "id": identifier,
            "name": identifier.title(),
            "vendor": "Acme",
            "country": "CA",
            "purpose": {"en": "Maps", "fr": "Cartes"},
            "category": "maps",
            "prefixes": prefixes,
            "evidence_class": "package",
            "source": "s",
            "reviewed": "2026-11-22",
            "operator": "acme",
            **more,
        }
        for identifier, prefixes, more in (
            (
                "acme-maps",
                ["com.acme.maps"],
                {"native": ["libacmemaps.so"], "frameworks": ["AcmeMaps", "com.acme.ios"]},
            ),
            ("acme-other", ["com.acme"], {"components": ["org.odd.PushService"]}),
        )
    ],
    "hosts": [
        {"domain": "acme.com", "operator": "acme", "source": "s"},
        {"domain": "maps.acme.com", "operator": "acme-maps", "source": "s", "purpose": "maps"},
        {"domain": "schemas.example.com", "operator": "", "source": "s", "purpose": "namespace"},
    ],
    "operators": [
        {"id": "acme", "name": "Acme", "country": "CA", "source": "s"},
        {
            "id": "acme-maps",
            "name": "Acme Maps",
            "country": "FR",
            "source": "s",
            "parent": "acme",
            "since": "2020-01-31",
        },
    ],
    "jurisdictions": [
        {
            "country": "CA",
            "name": {"en": "Canada", "fr": "Canada"},
            "laws": [{"en": "An Act", "fr": "Une loi"}],
            "source": "s",
            "tld": "ca xn--exemple",
        }
    ],
}


def header_of(pack: str, version: str = "2026.11.1") -> dict[str, Any]:
    return {
        "pack": pack,
        "version": version,
        "licence": "Apache-2.0",
        "about": {"en": "A pack", "fr": "Un ensemble"},
        "sources": [
            {
                "id": "s",
                "what": {"en": "A source", "fr": "Une source"},
                "where": "https://example.com",
                "revision": "1",
                "licence": "Apache-2.0",
            }
        ],
    }


def write_pack(path: Path, header: dict[str, Any], rows: list[dict[str, Any]]) -> Path:
    lines = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in (header, *rows))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


Change = Callable[[dict[str, Any], list[dict[str, Any]]], Any]


@pytest.fixture
def packs_in(tmp_path: Path) -> Callable[..., Path]:
    """Write the set into a folder; ``pack=change`` edits (header, rows) of one pack first."""

    def make(folder: str = "packs", **changes: Change) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for pack in PACKS:
            header, rows = header_of(pack), json.loads(json.dumps(ROWS[pack]))
            if pack in changes:
                changes[pack](header, rows)
            write_pack(target / f"{pack}.jsonl", header, rows)
        return target

    return make
