"""From a file to facts: what is refused at the door, and what of each part is carried into one list."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from proscribe.assess import gather as gather_module
from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.gather import gather, gather_opened
from proscribe.assess.intake.limits import Limits
from proscribe.assess.intake.opening import open_package
from proscribe.assess.packs.load import load_packs
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch
from proscribe.errors import UnreadableFile


@pytest.fixture(scope="module")
def watch() -> Watch:
    return load_packs().watch


@pytest.fixture(scope="module")
def apple(kit: Any, bases: Any) -> bytes:
    """The good IPA."""
    return next(data for data in bases.bases(Path("/nowhere")) if b"Payload/App.app/Info.plist" in data)


def test_a_package(built: Path, watch: Watch) -> None:
    found = gather(built, watch)
    assert (found.platform, found.ios) == ("android", None)
    assert found.android is not None
    assert found.android.package == "org.example.app"
    assert {site.watch for site in found.code.sites} >= {
        "Landroid/content/ClipboardManager;->getPrimaryClip",
        "content://com.android.contacts",
    }
    assert len(found.signing) == 1
    assert not found.signing[0].verified
    signature = next(run for run in found.runs if run.of is FactClass.signature)
    assert (signature.extent, signature.read, signature.total) == (Extent.complete, signature.total, signature.total)
    assert {"AndroidManifest.xml", "classes.dex"} <= found.digests.keys()
    assert [tool.name for tool in found.tools] == ["proscribe", "apk-info", "cryptography", "numpy"]


def test_an_app_of_the_other_platform(apple: bytes, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "a.ipa").write_bytes(apple)
    found = gather(tmp_path / "a.ipa", watch)
    assert (found.platform, found.android, found.signing) == ("ios", None, ())
    assert found.ios is not None
    assert "Payload/App.app/Info.plist" in found.digests
    assert [tool.name for tool in found.tools] == ["proscribe"]


def test_a_set_has_a_signature_for_each_part(kit: Any, watch: Watch) -> None:
    package, zips = kit.package(), kit.zips
    both = zips.archive([zips.Member("base.apk", package), zips.Member("split_config.de.apk", package)])
    found = gather_opened(open_package(both), watch)
    assert [facts.member for facts in found.signing] == ["base.apk", "split_config.de.apk"]
    assert {"base.apk!classes.dex", "split_config.de.apk!classes.dex"} <= found.digests.keys()


def test_files_that_a_manifest_points_to_are_named_by_their_digest(kit: Any, bases: Any, watch: Watch) -> None:
    """And one that cannot be read does not stop the others."""
    axml, arsc, zips = kit.axml, bases.load(bases.BUILDER_FOLDER / "arsc.py"), kit.zips
    meta = {"android:name": "android.accessibilityservice", "android:resource": axml.reference(0x7F020000)}
    action = axml.Node("action", {"android:name": "android.accessibilityservice.AccessibilityService"})
    bound = {"android:name": ".S", "android:permission": "android.permission.BIND_ACCESSIBILITY_SERVICE"}
    service = axml.Node("service", bound, (axml.Node("intent-filter", {}, (action,)), axml.Node("meta-data", meta)))
    application = axml.Node("application", {"android:networkSecurityConfig": axml.reference(0x7F020001)}, (service,))
    manifest = axml.build(axml.Node("manifest", {"package": "org.example.app"}, (application,)))
    table = arsc.table(axml.pool, {2: [(arsc.DEFAULT, {0: (3, "res/a.xml"), 1: (3, "res/n.xml")})]})
    members = kit.good(manifest={"data": bytes(manifest.data)}, arsc={"data": table})
    looks = zips.Member("res/a.xml", bytes(axml.build(axml.Node("accessibility-service", {})).data))
    network = zips.Member("res/n.xml", bytes(axml.build(axml.Node("network-security-config", {})).data))
    whole = gather_opened(open_package(zips.archive([*members, looks, network])), watch)
    assert {"AndroidManifest.xml", "classes.dex", "res/a.xml", "res/n.xml"} <= whole.digests.keys()
    broken = zips.archive([*members, zips.lying(looks, size=1), network])
    found = gather_opened(open_package(broken), watch)
    assert found.digests.keys() == whole.digests.keys() - {"res/a.xml"}
    assert {run.extent for run in found.runs if run.of is FactClass.resources} == {Extent.partial}


@pytest.mark.parametrize("size", [0, 11])
def test_neither_nothing_nor_too_much(size: int, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather_module, "LIMITS", Limits(file=10))
    (tmp_path / "a.apk").write_bytes(bytes(size))
    with pytest.raises(NotAPackage, match="empty" if size == 0 else "11 bytes") as caught:
        gather(tmp_path / "a.apk", watch)
    assert caught.value.where.file == str(tmp_path / "a.apk")


def test_what_cannot_be_read(tmp_path: Path, watch: Watch) -> None:
    for wrong in (tmp_path / "missing.apk", tmp_path):
        with pytest.raises(UnreadableFile, match="cannot be read") as caught:
            gather(wrong, watch)
        assert caught.value.where.file == str(wrong)


def test_a_file_that_fits_no_memory_is_a_lack_of_memory(
    built: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the worker's limit is met: the package is not at fault, and a worker says what is."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(gather_module.mmap, "mmap", full)
    with pytest.raises(MemoryError):
        gather(built, watch)


def test_errors_name_the_file_as_it_was_given(tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("dear")
    with pytest.raises(NotAPackage) as caught:
        gather(Path("letter.txt"), watch)
    assert caught.value.where.file == "letter.txt"


def test_a_set_without_a_base_is_refused(kit: Any, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "a.apks").write_bytes(kit.zips.archive([kit.zips.Member("base.apk", b"noise")]))
    with pytest.raises(RefusedPackage):
        gather(tmp_path / "a.apks", watch)
