"""What a file is, by its content, and which packages it holds."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.intake.opening import open_package
from proscribe.assess.terms import Extent, FactClass


def packed(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return stream.getvalue()


BASE = packed({"AndroidManifest.xml": b"base", "classes.dex": b"dex" * 500})
SPLIT = packed({"AndroidManifest.xml": b"split", "lib/arm64-v8a/libx.so": b"\x7fELF"})
SETS = {
    "xapk": {"manifest.json": b'{"package_name":"a"}', "a.apk": BASE, "config.arm64.apk": SPLIT, "icon.png": b""},
    "apks": {"toc.pb": b"", "splits/base-master.apk": BASE, "splits/base-arm64.apk": SPLIT,
             "standalones/standalone-x86.apk": BASE},
    "apkm": {"info.json": b"{}", "icon.png": b"", "base.apk": BASE, "split_config.arm64.apk": SPLIT},
}  # fmt: skip


def test_an_apk_is_an_apk_whatever_it_is_called():
    found = open_package(BASE, file="holiday.jpg")
    assert (found.package.format, found.package.sha256) == ("apk", hashlib.sha256(BASE).hexdigest())
    assert [part.role for part in found.package.parts] == ["base"]


def test_an_ipa():
    found = open_package(packed({"Payload/A.app/Info.plist": b"", "Payload/A.app/A": b""}))
    assert (found.package.format, len(found.packages)) == ("ipa", 1)


@pytest.mark.parametrize("form", SETS)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_base_and_splits_are_one_app(form, method):
    found = open_package(packed(SETS[form], method=method))
    assert found.package.format == form
    assert [part.role for part in found.package.parts] == ["base", "split"]
    assert found.packages[0].read("AndroidManifest.xml") == b"base"
    assert found.packages[1].member("classes.dex") == f"{found.package.parts[1].path}!classes.dex"
    assert found.package.parts[1].sha256 == hashlib.sha256(SPLIT).hexdigest()
    other_builds = [name for name in SETS[form] if name.startswith("standalones/")]
    assert [(one.code, one.member) for one in found.anomalies] == [("split.other-build", name) for name in other_builds]


DECOYS = {
    "a universal package beside a base": {"manifest.json": b"{}", "universal.apk": SPLIT, "base.apk": BASE},
    "builds for other devices without a bundle": {"manifest.json": b"{}", "base.apk": SPLIT, "standalones/a.apk": BASE},
    "a universal package in a folder": {"toc.pb": b"", "splits/base-master.apk": BASE, "x/universal.apk": SPLIT},
    "an ending in capitals": {"manifest.json": b"{}", "base.apk": SPLIT, "config.APK": BASE},
}


@pytest.mark.parametrize("decoy", DECOYS)
def test_no_package_of_a_set_goes_unread_in_silence(decoy):
    """The code is wherever a hasty reader would not look."""
    found = open_package(packed(DECOYS[decoy]))
    read = {part.path for part in found.package.parts}
    told = {one.member for one in found.anomalies if one.code == "split.left-out"}
    assert read | told == {name for name in DECOYS[decoy] if name.lower().endswith(".apk")}
    assert bool(told) == any(run.of is FactClass.splits and run.extent is Extent.partial for run in found.runs)


def test_the_stated_base_goes_before_a_universal_package():
    listed = {"split_apks": [{"id": "base", "file": "base.apk"}]}
    members = {"manifest.json": json.dumps(listed).encode(), "universal.apk": SPLIT, "base.apk": BASE}
    assert [part.path for part in open_package(packed(members)).package.parts] == ["base.apk", "universal.apk"]


def test_archives_and_code_beside_the_packages_are_told():
    beside = {"Android/obb/a/main.obb": SPLIT, "a.bin": b"dex\n035\0", "b.so": b"\x7fELF", "icon.png": b"\x89PNG"}
    found = open_package(packed({"base.apk": BASE, **beside}))
    assert {(one.code, one.member) for one in found.anomalies} == {
        ("container.not-read", name) for name in beside if name != "icon.png"
    }
    many = open_package(packed({"base.apk": BASE, **{f"{number}.txt": b"x" for number in range(203)}}))
    assert [(one.code, one.member, one.detail) for one in many.anomalies] == [("container.not-read", "", "3 members")]


def test_another_app_in_the_same_file_is_told():
    apple = {"Payload/A.app/Info.plist": b"", "Payload/B.app/Info.plist": b""}
    two = open_package(packed(apple))
    assert [(one.code, one.member) for one in two.anomalies] == [("container.other-app", "Payload/B.app")]
    both = open_package(packed({"AndroidManifest.xml": b"", **apple}))
    assert (both.package.format, len(both.anomalies)) == ("apk", 2)


def test_the_base_that_the_list_states_goes_before_names():
    listed = {"split_apks": [{"id": "base", "file": "zz.apk"}, {"id": "x", "file": "base.apk"}]}
    found = open_package(packed({"manifest.json": json.dumps(listed).encode(), "base.apk": SPLIT, "zz.apk": BASE}))
    assert found.package.parts[0].path == "zz.apk"


@pytest.mark.parametrize("broken", [b"[]", b"{", b'{"split_apks": 7}', b"[" * 5000])
def test_a_broken_list_is_no_list(broken):
    found = open_package(packed({"manifest.json": broken, "split_a.apk": SPLIT, "whole.apk": BASE}))
    assert found.package.parts[0].path == "whole.apk"


def test_only_whole_packages_offered_the_largest_is_read():
    found = open_package(packed({"toc.pb": b"", "standalones/a.apk": SPLIT, "standalones/b.apk": BASE}))
    assert [part.path for part in found.package.parts] == ["standalones/b.apk"]
    found = open_package(packed({"toc.pb": b"", "universal.apk": BASE, "other.apk": SPLIT}))
    assert [part.path for part in found.package.parts] == ["universal.apk"]


def test_a_split_that_cannot_be_opened_is_a_fact():
    found = open_package(packed({"base.apk": BASE, "split_config.de.apk": b"not a zip"}))
    assert [anomaly.code for anomaly in found.anomalies] == ["split.unreadable"]
    run = found.runs[-1]
    assert (run.of, run.extent, run.read, run.total, run.problem) == (
        FactClass.splits,
        Extent.partial,
        1,
        2,
        "split.unreadable",
    )


def test_a_base_that_cannot_be_opened_is_a_refusal():
    with pytest.raises(RefusedPackage) as caught:
        open_package(packed({"base.apk": b"not a zip", "split_config.de.apk": SPLIT}), file="set.apks")
    assert caught.value.where.file == "set.apks"


def test_too_many_packages_are_refused():
    with pytest.raises(RefusedPackage, match="201"):
        open_package(packed({f"split_{number}.apk": b"" for number in range(201)}))


def test_a_plain_zip_is_no_package():
    with pytest.raises(NotAPackage) as caught:
        open_package(packed({"letter.txt": b"dear"}), file="letter.zip")
    assert "Payload" in caught.value.what.fr
