"""Code that hides must be read, or its hiding must be said: a mild rating is never silent about what was not seen."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess.engine import assess_here, load

Build = Callable[[Any, bytes, bytes], bytes]
"""(kit, an idle dex, the dex that does it) -> package"""


def packed(kit: Any, **members: bytes) -> bytes:
    return kit.zips.archive([kit.zips.Member(name, data) for name, data in members.items()])  # type: ignore[no-any-return]


def apk(kit: Any, code: bytes, members: dict[str, bytes] | None = None) -> bytes:
    named = {"AndroidManifest.xml": kit.manifest, "resources.arsc": kit.arsc, "classes.dex": code}
    return packed(kit, **named, **(members or {}))


def sets(kit: Any, members: dict[str, bytes]) -> bytes:
    return packed(kit, **members)


HIDING: dict[str, Build] = {
    "a gap in the numbers": lambda kit, idle, code: apk(kit, idle, {"classes3.dex": code}),
    "capitals": lambda kit, idle, code: apk(kit, idle, {"CLASSES2.DEX": code}),
    "an asset": lambda kit, idle, code: apk(kit, idle, {"assets/x.png": code}),
    "a jar": lambda kit, idle, code: apk(kit, idle, {"assets/x": packed(kit, **{"classes.dex": code})}),
    "a jar in a jar": lambda kit, idle, code: apk(
        kit, idle, {"assets/x": packed(kit, y=packed(kit, **{"classes.dex": code}))}
    ),
    "five jars": lambda kit, idle, code: apk(
        kit, idle, {"a": packed(kit, b=packed(kit, c=packed(kit, d=packed(kit, e=code))))}
    ),
    "gzip": lambda kit, idle, code: apk(kit, idle, {"assets/x": gzip.compress(code)}),
    "base64": lambda kit, idle, code: apk(kit, idle, {"assets/x": base64.b64encode(code)}),
    "xor": lambda kit, idle, code: apk(kit, idle, {"assets/x": bytes(byte ^ 7 for byte in code)}),
    "before the archive": lambda kit, idle, code: kit.zips.archive(
        [kit.zips.Member("AndroidManifest.xml", kit.manifest), kit.zips.Member("classes.dex", idle)], before=code
    ),
    "a second member of the name": lambda kit, idle, code: kit.zips.archive(
        [
            kit.zips.Member("AndroidManifest.xml", kit.manifest),
            kit.zips.Member("classes.dex", idle),
            kit.zips.Member("classes.dex", code),
        ]
    ),
    "a split": lambda kit, idle, code: sets(kit, {"base.apk": apk(kit, idle), "split_a.apk": apk(kit, code)}),
    "a split in capitals": lambda kit, idle, code: sets(
        kit, {"manifest.json": b"{}", "base.apk": apk(kit, idle), "split_a.APK": apk(kit, code)}
    ),
    "behind a universal package": lambda kit, idle, code: sets(
        kit, {"manifest.json": b"{}", "universal.apk": apk(kit, idle), "base.apk": apk(kit, code)}
    ),
    "a build for other devices": lambda kit, idle, code: sets(
        kit, {"toc.pb": b"x", "splits/base-master.apk": apk(kit, idle), "standalones/a.apk": apk(kit, code)}
    ),
    "an expansion file": lambda kit, idle, code: sets(
        kit, {"base.apk": apk(kit, idle), "Android/obb/main.obb": packed(kit, **{"classes.dex": code})}
    ),
    "an app of Apple's kind": lambda kit, idle, code: apk(kit, idle, {"Payload/A.app/Info.plist": b"<plist/>"}),
}


@pytest.fixture(scope="module")
def idle(bases) -> bytes:
    """A class that does nothing."""
    builder = bases.load(Path(__file__).resolve().parents[1] / "builders" / "dex.py")
    dex = builder.Dex()
    dex.add("Lorg/example/app/Main;").method("go", "()V", [builder.RETURN_VOID])
    return bytes(dex.build())


def assessed(data: bytes, folder: Path) -> Any:
    file = folder / "x"
    file.write_bytes(data)
    return load(assess_here(file))


@pytest.mark.parametrize("how", HIDING)
def test_code_that_hides_is_read_or_said_to_hide(how, kit, idle, tmp_path):
    plain, good = assessed(apk(kit, idle), tmp_path), assessed(apk(kit, kit.dex), tmp_path)
    assert (plain.rating.rating, plain.hidden, good.rating.rating) == ("limited", (), "moderate")
    found = assessed(HIDING[how](kit, idle, kit.dex), tmp_path)
    assert found.rating.rating in {"moderate", "inconclusive"} or found.hidden, json.dumps(
        [one.code for one in found.anomalies]
    )


def test_components_without_any_code_are_said(kit, tmp_path):
    node = kit.axml.Node
    service = node("service", {"android:name": ".Main"}, ())
    manifest = bytes(kit.axml.build(kit.axml.manifest(application=(service,))).data)
    found = assessed(packed(kit, **{"AndroidManifest.xml": manifest}), tmp_path)
    assert any("holds no dex code" in text.en for text in found.hidden)
