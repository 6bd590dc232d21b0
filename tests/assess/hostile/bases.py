"""The good packages that mutants and hostile cases start from; a plain module, loaded by path."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_ASSESS = Path(__file__).resolve().parents[1]
SAMPLES = Path(os.environ.get("PROSCRIBE_SAMPLES", _ASSESS.parents[1] / ".samples"))
BUILDER_FOLDER = _ASSESS / "builders"
BUILDERS = ("zips", "axml", "arsc", "macho", "bplist", "dex")


def load(path: Path) -> ModuleType:
    """A plain module by its path: with ``--import-mode=importlib`` test folders are no packages."""
    key = f"assess_builders_{path.stem}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    return sys.modules[key]


def builder(name: str) -> ModuleType:
    """A builder of ``tests/assess/builders`` by its name."""
    return load(BUILDER_FOLDER / f"{name}.py")


def kit() -> Any:
    """The builders and the members of the good package."""
    builders = {name: builder(name) for name in BUILDERS}
    axml, arsc = builders["axml"], builders["arsc"]
    return load(_ASSESS / "hostile" / "cases.py").Kit(
        zips=builders["zips"],
        axml=axml,
        macho=builders["macho"],
        bplist=builders["bplist"],
        manifest=bytes(axml.build(axml.manifest()).data),
        dex=good_dex(builders["dex"]),
        arsc=bytes(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (3, "Example")})]})),
    )


def good_dex(dex: ModuleType) -> bytes:
    """A few classes that read the clipboard, ask for the place, load code and count contacts."""
    made = dex.Dex()
    clipboard = dex.call("Landroid/content/ClipboardManager;", "getPrimaryClip", "()Landroid/content/ClipData;")
    place = dex.call(
        "Landroid/location/LocationManager;",
        "getLastKnownLocation",
        "(Ljava/lang/String;)Landroid/location/Location;",
    )
    loader = dex.call(
        "Ldalvik/system/DexClassLoader;",
        "<init>",
        "(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/ClassLoader;)V",
    )
    uri = "content://com.android.contacts/contacts"
    for number in range(40):
        one = made.add(f"Lorg/example/app/Part{number};")
        one.method("clip", "()V", [*dex.invoke(0x6E, [1], clipboard), dex.RETURN_VOID])
        one.method("where", "()V", [*dex.invoke(0x6E, [1, 2], place), dex.RETURN_VOID])
        one.method("more", "()V", [*dex.invoke(0x70, [1, 2, 3, 4, 5], loader), dex.RETURN_VOID])
        one.method("people", "()V", [*dex.const_string(1, uri), dex.RETURN_VOID])
    return bytes(made.build())


def bases(samples: Path) -> list[bytes]:
    """The good package, an IPA, a set, and the small real packages where ``make samples`` has fetched them."""
    made = kit()
    cases = load(_ASSESS / "hostile" / "cases.py")
    apple = next(case.data for case in cases.apples(made) if case.name == "ios-good")
    zips = made.zips
    package = made.package()
    together = zips.archive([zips.Member("base.apk", package), zips.Member("split_config.de.apk", package)])
    signed = ("v1v2v3-lineage-out", "v2v3-lineage-out", "v1-out")
    real = sorted((samples / "apk").glob("agent-device-*.apk"))
    real += [file for name in signed if (file := samples / "apksig" / f"golden-aligned-{name}.apk").exists()]
    return [package, apple, together, *(file.read_bytes() for file in real)]
