"""Android Management API devices read the quick way and read with care: the same snapshot, the same problems."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.catalogue.model import TargetSet
from proscribe.clock import ManualClock
from proscribe.inventory.errors import InventoryError
from proscribe.inventory.importers import amapi, amapi_quick
from proscribe.inventory.ingest import ingest
from proscribe.inventory.model import Retention, Snapshot

ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -0,
        7,
        1.0,
        1e400,
        float("nan"),
        2**70,
        "",
        " ",
        "x",
        "é",
        "\ud800",
        "\u2028",
        "²",
        [],
        {},
        [None],
        [[1]],
    ]
)
KEY = base64.b64encode(b"k" * 32).decode()
PACKAGES = ["com.tencent.mm", "com.tencent.mm ", "com.tencent.nn", "org.example.tide", ""]


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A good value, and one time in ten something odd."""
    return st.integers(0, 9).flatmap(lambda luck: ODD if luck == 0 else good)


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=known)


REPORT = fields(
    displayName=mostly(st.sampled_from(["WeChat", "微信", "WeСhat", " Tide "])),
    versionName=mostly(st.sampled_from(["8.0.50", "1.0", ""])),
    versionCode=mostly(st.integers(0, 3)),
    applicationSource=mostly(st.sampled_from(["CUSTOM", "SYSTEM_APP_FACTORY_VERSION", "INSTALLED_FROM_PLAY_STORE"])),
    installerPackageName=mostly(st.just("com.android.vending")),
    state=mostly(st.sampled_from(["INSTALLED", "REMOVED"])),
    signingKeyCerts=mostly(st.lists(mostly(fields(signingKeyCertFingerprintSha256=mostly(st.just(KEY)))), max_size=2)),
    signingKeyCertFingerprints=mostly(st.lists(mostly(st.just("ab" * 32)), max_size=2)),
    events=mostly(st.just([{"eventType": "INSTALLED"}])),
).flatmap(lambda rest: mostly(st.sampled_from(PACKAGES)).map(lambda package: {"packageName": package, **rest}))
DEVICE = fields(
    applicationReports=mostly(st.lists(mostly(REPORT), max_size=4)),
    managementMode=mostly(st.sampled_from(["DEVICE_OWNER", "PROFILE_OWNER"])),
    ownership=mostly(st.sampled_from(["COMPANY_OWNED", "PERSONALLY_OWNED"])),
    lastStatusReportTime=mostly(
        st.sampled_from(["2026-11-10T01:02:03Z", "2026-11-10T01:02:03.5Z", "2031-01-01T00:00:00Z"])
    ),
    hardwareInfo=mostly(
        fields(serialNumber=mostly(st.sampled_from(["NL00001", "NL00002"])), model=mostly(st.just("M")))
    ),
    softwareInfo=mostly(fields(androidVersion=mostly(st.just("15")))),
    policyName=mostly(st.just("enterprises/LC0/policies/p")),
    appliedPolicyName=mostly(st.just("enterprises/LC0/policies/p")),
    appliedPolicyVersion=mostly(st.sampled_from(["4", "9" * 30])),
    appliedState=mostly(st.sampled_from(["ACTIVE", "DISABLED"])),
    enrollmentTokenData=mostly(st.sampled_from(['{"department": "Charts"}', "{", "[]"])),
    nonComplianceDetails=mostly(st.lists(mostly(fields(packageName=mostly(st.just("a.b")))), max_size=2)),
    memoryEvents=mostly(st.just([{"name": "x"}, {"name": "y"}])),
    neverHeardOf=ODD,
    devices=ODD,
).flatmap(
    lambda rest: mostly(st.integers(0, 3).map(lambda number: f"enterprises/LC0/devices/{number}")).map(
        lambda name: {"name": name, **rest}
    )
)
LAYOUTS = st.sampled_from(["lines", "crlf", "array", "page", "pretty", "pages", "spread"])


FIRST = {"name": "enterprises/LC0/devices/0", "managementMode": "DEVICE_OWNER", "applicationReports": []}


def written(others: list[Any], layout: str, *, ascii_only: bool) -> str:
    """The same devices as lines, as pages, and so on; the first one tells the format."""
    devices = [FIRST, *others]

    def text(value: Any, indent: int | None = None) -> str:
        out = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=None if indent else (",", ":"))
        return out.encode("utf-8", "replace").decode()

    if layout == "lines":
        return "\n".join(map(text, devices))
    if layout == "crlf":
        return "".join(text(device) + "\r\n" for device in devices)
    if layout == "spread":
        return "\n".join(text(device, 2) for device in devices)
    if layout == "array":
        return text(devices)
    if layout == "pages":
        pages = [{"devices": devices[start : start + 3], "nextPageToken": "t"} for start in range(0, len(devices), 3)]
        return "\n".join(map(text, pages))
    return text({"devices": devices}, 2 if layout == "pretty" else None)


def with_care(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amapi_quick.QuickReader, "decode", lambda _self, _text: None)


def outcome(path: Path, out: Path, targets: TargetSet, retention: Retention, clock: ManualClock) -> Any:
    """All that a snapshot holds, as plain values; the error when there is none."""
    try:
        snapshot = ingest([path], out, target_sets=[targets], retention=retention, clock=clock)
    except InventoryError as error:
        return error.code, error.what, error.where
    return (snapshot.manifest, *tables(snapshot), snapshot.problems.read_text(encoding="utf-8"))


def tables(snapshot: Snapshot) -> list[Any]:
    return [
        pq.read_table(path).to_pylist()
        for path in (snapshot.devices, snapshot.apps, snapshot.versions, snapshot.installs)
    ]


def both_ways(text: str, folder: Path, targets: TargetSet, retention: Retention, clock: ManualClock) -> tuple[Any, Any]:
    path = folder / "fleet.json"
    path.write_text(text, encoding="utf-8")
    quick = outcome(path, folder / "quick", targets, retention, clock)
    with pytest.MonkeyPatch.context() as patch:
        with_care(patch)
        careful = outcome(path, folder / "careful", targets, retention, clock)
    return quick, careful


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.builds(written, st.lists(mostly(DEVICE), max_size=8), LAYOUTS, ascii_only=st.booleans()),
    retention=st.sampled_from(Retention),
    spoilt=st.none() | st.tuples(st.integers(0, 5000), st.sampled_from(['"', "}", "{", "\n", "\x01", "", ","])),
)
def test_both_ways_give_the_same(
    text: str,
    retention: Retention,
    spoilt: tuple[int, str] | None,
    tmp_path_factory: pytest.TempPathFactory,
    wechat: TargetSet,
    clock: ManualClock,
) -> None:
    if spoilt is not None:
        place = min(spoilt[0], len(text) - 1)
        text = text[:place] + spoilt[1] + text[place + 1 :]
    quick, careful = both_ways(text, tmp_path_factory.mktemp("both"), wechat, retention, clock)
    assert quick == careful


def plain(number: int, **more: Any) -> dict[str, Any]:
    """A device as most are."""
    return {
        "name": f"enterprises/LC0/devices/{number}",
        "managementMode": "DEVICE_OWNER",
        "ownership": "COMPANY_OWNED",
        "lastStatusReportTime": "2026-11-10T01:02:03Z",
        "hardwareInfo": {"serialNumber": f"NL{number:06}", "model": "Fanal é"},
        "applicationReports": [
            {"packageName": "com.tencent.mm", "displayName": "WeChat", "versionName": f"8.{number % 3}"},
            {"packageName": f"org.example.tide{number % 50}", "state": "REMOVED" if number % 7 == 0 else "INSTALLED"},
        ],
        **more,
    }


@pytest.mark.parametrize("layout", ["lines", "crlf", "array", "page", "pretty", "pages", "spread"])
@pytest.mark.parametrize("retention", list(Retention))
def test_most_devices_go_the_quick_way(
    layout: str,
    retention: Retention,
    tmp_path: Path,
    wechat: TargetSet,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    careful: list[Any] = []
    real = amapi.device_record

    def counted(device: dict[str, Any]) -> Any:
        careful.append(device["name"])
        return real(device)

    monkeypatch.setattr(amapi, "device_record", counted)
    monkeypatch.setattr(amapi_quick, "_REPORTS_REMEMBERED", 20)  # forgets now and then
    path = tmp_path / "fleet.json"
    filler = {"memoryEvents": [{"name": "x", "byteCount": "1" * 2000}, {"name": "y"}], "newField": 1}
    # Several windows of text, so that seams fall on their edges too.
    devices = [plain(number, **(filler if number % 2 else {})) for number in range(2_000)]
    path.write_text(written(devices, layout, ascii_only=False), encoding="utf-8")
    snapshot = ingest([path], tmp_path / "out", target_sets=[wechat], retention=retention, clock=clock)
    manifest = snapshot.manifest
    assert manifest.devices == 2_001 - 1  # the first of the export is described twice
    assert manifest.installs_seen == 4_000
    assert manifest.sources[0].installs == 4_000
    assert manifest.sources[0].unknown_fields == ("newField",)
    assert manifest.problems == ()
    assert manifest.installs_kept == (2_000 if retention is Retention.matches else 4_000)
    devices_seen = pq.read_table(snapshot.devices).to_pylist()
    assert {row["key"] for row in devices_seen} == {
        f"amapi:enterprises/LC0/devices/{number}" for number in range(2_000)
    }
    assert sum(row["apps_seen"] for row in devices_seen) == 4_000 - len(range(0, 2_000, 7))
    assert len(careful) <= (1 + 2_001 // 3 + 1 if layout == "pages" else 40)


def test_a_device_that_does_not_fit_spoils_no_other(tmp_path: Path, wechat: TargetSet, clock: ManualClock) -> None:
    odd = [
        plain(1, name=None),
        plain(2, applicationReports=[{"packageName": 7}, {"displayName": "no package"}, 3]),
        plain(3, applicationReports="none"),
        plain(4, appliedPolicyVersion="9" * 5_000),
        plain(5, hardwareInfo={"model": "\ud83d"}),
        plain(6, devices=[]),
    ]
    text = written([plain(10), *odd, plain(11)], "lines", ascii_only=True) + '\n{"name": broken}\n'
    text += json.dumps(plain(12)) + "\n" + json.dumps(plain(13))
    quick, careful = both_ways(text, tmp_path, wechat, Retention.matches, clock)
    assert quick == careful
    manifest, devices = quick[0], quick[1]
    keys = {row["key"].rsplit("/", 1)[-1] for row in devices}
    assert {"0", "10", "11", "12", "13", "2", "3", "4", "5"} <= keys
    assert manifest.problems_total >= 3


def test_a_file_that_breaks_off_keeps_what_came_before(tmp_path: Path, wechat: TargetSet, clock: ManualClock) -> None:
    text = written([plain(number) for number in range(1, 9)], "lines", ascii_only=True)[:-20]
    quick, careful = both_ways(text, tmp_path, wechat, Retention.matches, clock)
    assert quick == careful
    assert quick[0].devices == 8
    assert not quick[0].sources[0].complete
