"""The builder and its rules: devices seen twice, freshness, what is kept over, immutability, digests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from proscribe.canonical import Digest
from proscribe.catalogue.model import AppIdentity
from proscribe.errors import InvalidDocument, WrongDocumentVersion
from proscribe.inventory import coverage
from proscribe.inventory.errors import BrokenSnapshot
from proscribe.inventory.model import (
    DeviceRecord,
    Freshness,
    InstallRecord,
    Problem,
    Scope,
    SourceSummary,
    Visibility,
)
from proscribe.inventory.sightings import joinable_serial
from proscribe.inventory.snapshot import device_scopes, open_snapshot
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

WECHAT_APP = AppIdentity(Platform.android, "com.tencent.mm", "WeChat")
OTHER = AppIdentity(Platform.android, "org.buoy", "Buoy")


def device(key: str, *, serial: str = "", days_ago: float | None = 1, now=None, **more) -> DeviceRecord:
    observed = None if days_ago is None else now - timedelta(days=days_ago)
    fields = {
        "platform": Platform.android,
        "enrolment": Enrolment.fully_managed,
        "freshness": Freshness.imported if observed is None else Freshness.observed,
        **more,
    }
    return DeviceRecord(key=key, system=key.split(":", maxsplit=1)[0], serial=serial, observed_at=observed, **fields)


def source(name: str) -> SourceSummary:
    return SourceSummary(name, "test", Digest("sha256:" + "0" * 64), 0, 0, 0, 0, 0)


@pytest.fixture
def make(clock):
    def run(key: str, **more) -> DeviceRecord:
        return device(key, now=clock.now(), **more)

    return run


def test_same_serial_in_two_systems_is_one_device_and_the_freshest_wins(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", serial="nlx0001", days_ago=1, name=""))
        b.add_install(InstallRecord("amapi:1", OTHER))
        b.add_source(source("a"))
        b.add_device(make("generic:9", serial="NLX0001 ", days_ago=3, department="Charts", name="Fog"))
        b.add_install(InstallRecord("generic:9", WECHAT_APP))
        b.add_source(source("b"))
        found = seen(b.finish())
    (row,) = found.devices.values()
    assert (row["key"], row["also"], row["department"], row["name"]) == ("amapi:1", ["generic:9"], "Charts", "Fog")
    assert found.pairs() == {("amapi:1", "org.buoy")}
    assert found.snapshot.manifest.duplicate_devices == 1
    assert found.snapshot.manifest.devices == 1


def test_a_fresher_source_that_sees_less_does_not_hide_what_the_other_saw(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", serial="NLX0001", days_ago=0.5, enrolment=Enrolment.cope))
        b.add_install(InstallRecord("amapi:1", OTHER, Side.work))
        b.add_source(source("a"))
        b.add_device(make("adb:1", serial="NLX0001", days_ago=1, enrolment=Enrolment.unmanaged))
        b.add_install(InstallRecord("adb:1", WECHAT_APP, Side.personal))
        b.add_source(source("b"))
        found = seen(b.finish())
    assert found.pairs() == {("amapi:1", "org.buoy"), ("amapi:1", "com.tencent.mm")}


def test_the_system_whose_policy_the_device_applied_speaks_for_it_and_hides_nothing_newer(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", serial="NLX0001", days_ago=2, scope="p", applied_scope="p"))
        b.add_install(InstallRecord("amapi:1", OTHER))
        b.add_source(source("a"))
        b.add_device(make("generic:1", serial="NLX0001", days_ago=1, scope="g"))
        b.add_install(InstallRecord("generic:1", WECHAT_APP))
        b.add_source(source("b"))
        b.add_device(make("jamf:1", serial="NLX0001", days_ago=5))
        b.add_install(InstallRecord("jamf:1", AppIdentity(Platform.android, "gone.since")))
        found = seen(b.finish())
    assert found.devices["amapi:1"]["also"] == ["generic:1", "jamf:1"]
    assert found.pairs() == {("amapi:1", "org.buoy"), ("amapi:1", "com.tencent.mm")}


def test_a_fresher_source_without_a_list_does_not_win(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", serial="NLX0001", days_ago=0.5, remarks=("no-app-reports",)))
        b.add_source(source("a"))
        b.add_device(make("generic:1", serial="NLX0001", days_ago=5))
        b.add_install(InstallRecord("generic:1", WECHAT_APP))
        found = seen(b.finish())
    assert found.pairs() == {("generic:1", "com.tencent.mm")}
    assert found.devices["generic:1"]["also"] == ["amapi:1"]


@pytest.mark.parametrize("serial", ["", "unknown", "N/A", "0", " None ", "abc"])
def test_placeholders_for_serial_numbers_join_nothing(serial, builder, seen, make):
    assert joinable_serial(serial) == ""
    with builder() as b:
        b.add_device(make("amapi:1", serial=serial))
        b.add_device(make("amapi:2", serial=serial))
        assert len(seen(b.finish()).devices) == 2


def test_an_older_list_of_the_same_device_is_superseded(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", days_ago=9))
        b.add_install(InstallRecord("amapi:1", WECHAT_APP))
        b.add_source(source("old"))
        b.add_device(make("amapi:1", days_ago=1))
        b.add_install(InstallRecord("amapi:1", OTHER))
        b.add_source(source("new"))
        found = seen(b.finish())
    assert found.pairs() == {("amapi:1", "org.buoy")}
    assert found.devices["amapi:1"]["apps_seen"] == 1
    assert found.snapshot.manifest.duplicate_devices == 0


def test_within_one_source_a_later_report_of_a_device_supersedes_too(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1", days_ago=9))
        b.add_install(InstallRecord("amapi:1", WECHAT_APP))
        b.add_device(make("amapi:1", days_ago=1, os_version="15"))
        b.add_install(InstallRecord("amapi:1", OTHER))
        found = seen(b.finish())
    assert found.pairs() == {("amapi:1", "org.buoy")}


def test_parts_of_one_list_are_put_together(builder, seen, make):
    with builder() as b:
        for app in (WECHAT_APP, OTHER):
            b.add_device(make("intune:1", days_ago=None))
            b.add_install(InstallRecord("intune:1", app))
            b.add_install(InstallRecord("intune:1", app))
            b.add_source(source(app.name))
        found = seen(b.finish())
    assert found.pairs() == {("intune:1", "com.tencent.mm"), ("intune:1", "org.buoy")}
    assert found.snapshot.manifest.installs_kept == 2
    assert found.snapshot.manifest.installs_seen == 4


def test_a_time_without_a_list_does_not_make_the_list_fresh(builder, seen, make):
    with builder() as b:
        b.add_device(make("intune:1", days_ago=None))
        b.add_install(InstallRecord("intune:1", WECHAT_APP))
        b.add_source(source("apps"))
        b.add_device(make("intune:1", days_ago=1, freshness=Freshness.reported, remarks=("no-app-reports",)))
        b.add_source(source("devices"))
        found = seen(b.finish())
    row = found.devices["intune:1"]
    assert row["freshness"] == "imported"
    assert row["observed_at"] is not None
    assert row["remarks"] == []


def test_a_list_that_is_not_there_is_unknown_and_an_empty_one_is_not(builder, seen, make):
    with builder() as b:
        b.add_device(make("amapi:1"))
        b.add_device(make("amapi:2", remarks=("no-app-reports",)))
        b.add_device(make("amapi:3", remarks=("no-app-reports",)))
        b.add_install(InstallRecord("amapi:3", WECHAT_APP, removed=True))
        found = seen(b.finish())
    assert [found.devices[f"amapi:{n}"]["sees"] for n in (1, 2, 3)] == ["all_apps", "unknown", "all_apps"]
    assert found.devices["amapi:3"]["apps_seen"] == 0


def test_an_install_of_a_device_never_described_is_a_fault_of_the_caller(builder):
    with builder() as b, pytest.raises(KeyError):
        b.add_install(InstallRecord("amapi:1", WECHAT_APP))


def test_unknown_classes_are_said_loudly(builder, seen, make):
    with builder() as b:
        b.add_device(make("acme:1"))
        b.add_device(make("amapi:1", enrolment=Enrolment.unknown))
        found = seen(b.finish())
    assert {row["sees"] for row in found.devices.values()} == {"unknown"}
    assert found.whats().count("of which nothing is known") == 2
    assert {row.sees for row in found.snapshot.manifest.coverage} == {Visibility.unknown}
    assert all(row.blind_to.fr for row in found.snapshot.manifest.coverage)


def test_coverage_rows_have_a_source_both_languages_and_sense():
    for (system, _, _), row in coverage._rows().items():
        assert row.source
        assert row.blind_to.en
        assert row.blind_to.fr
        assert row.blind_to.en != row.blind_to.fr
        assert row.stale_after_days >= 1
        if system == "intune":
            assert (row.gives_ids, row.stale_after_days) == (False, 7)
    assert coverage.sight("amapi", Platform.android, Enrolment.byod).sees is Visibility.work_side
    assert not coverage.sight("nobody", Platform.ios, Enrolment.supervised).known


def test_coverage_counts_add_up(exports, read):
    found = read(*(exports / name for name in ("generic.csv", "amapi-devices.json", "jamf-mobile-devices.json")))
    manifest = found.snapshot.manifest
    assert sum(row.devices for row in manifest.coverage) == manifest.devices == len(found.devices)


def test_scopes_keep_the_latest_version(builder, seen):
    with builder() as b:
        b.add_scope(Scope("amapi", "p", 2, 5, "{}"))
        b.add_scope(Scope("amapi", "p", 1, 5, "{}"))
        b.add_scope(Scope("amapi", "q", 1, 1, "{}"))
        found = seen(b.finish())
    assert [(scope.id, scope.version) for scope in found.snapshot.manifest.scopes] == [("p", 2), ("q", 1)]


def test_all_problems_are_on_disk_and_a_thousand_of_a_source_in_the_manifest(builder, seen):
    text = Text("x", "y")
    with builder() as b:
        for row in range(1500):
            b.add_problem(Problem("a.csv", row, "f", text, text))
        b.add_problem(Problem("b.csv", 1, "f", text, text))
        found = seen(b.finish())
    assert found.snapshot.manifest.problems_total == 1501
    assert len(found.snapshot.manifest.problems) == 1001
    assert len(found.snapshot.problems.read_text().splitlines()) == 1501


def test_carry_over_keeps_the_other_systems(builder, seen, make, exports, read, wechat):
    previous = read(exports / "generic.csv", exports / "amapi-devices.json", exports / "jamf-mobile-devices.json")
    with builder("next") as b:
        b.add_scope(Scope("amapi", "p", 9, 1, "{}"))
        b.add_device(make("amapi:new"))
        b.add_install(InstallRecord("amapi:new", WECHAT_APP, Side.whole, Held.managed, "9"))
        b.add_source(source("live"))
        b.carry_over(previous.snapshot, frozenset({"amapi"}))
        found = seen(b.finish())
    others = {key: row for key, row in previous.devices.items() if row["system"] != "amapi"}
    assert {key: {**row, "device": 0} for key, row in found.devices.items() if key != "amapi:new"} == {
        key: {**row, "device": 0} for key, row in others.items()
    }
    assert found.installs - {("amapi:new", "com.tencent.mm", "WeChat", "whole", "managed", False, "9")} == {
        install for install in previous.installs if install[0] in others
    }
    assert found.devices["jamf:6"]["also"] == ["generic:d5"]
    assert [row.format for row in found.snapshot.manifest.sources] == ["test", "snapshot"]
    assert found.snapshot.manifest.sources[1].digest == previous.snapshot.digest
    assert found.snapshot.manifest.installs_seen == 1 + sum(row["apps_seen"] for row in others.values())


def test_carry_over_from_a_snapshot_that_watched_for_less_says_what_it_does_not_know(
    builder, seen, exports, read, wechat, buoy
):
    previous = read(exports / "generic.csv", targets=(wechat,), retain="matches")
    with builder("wider", targets=(wechat, buoy), retain="matches") as b:
        b.carry_over(previous.snapshot, frozenset())
        found = seen(b.finish())
    assert {row["sees"] for row in found.devices.values()} == {"unknown"}
    assert all("narrower-watch" in row["remarks"] for row in found.devices.values())
    assert found.installs == previous.installs
    with builder("same", targets=(wechat,), retain="matches") as b:
        b.carry_over(previous.snapshot, frozenset())
        again = seen(b.finish())
    assert again.devices == previous.devices


def test_carry_over_of_everything_except_everything(builder, seen, exports, read):
    previous = read(exports / "generic.csv")
    with builder("none") as b:
        b.carry_over(previous.snapshot, frozenset({"generic"}))
        assert seen(b.finish()).devices == {}


def test_what_is_said_of_one_device_stays_out_of_the_manifest(builder, seen, make):
    """The manifest leaves with a proof; a device's key must not."""
    group, own = Scope("amapi", "keepers", 3, 2, "{}"), Scope("amapi", "amapi:p1", 1, 1, '{"apps":{}}')
    with builder("first") as b:
        b.add_device(make("amapi:p1"))
        b.add_scope(group)
        b.add_scope(own)
        snapshot = b.finish()
    assert snapshot.manifest.scopes == (group,)
    assert "amapi:p1" not in (snapshot.path / "manifest.json").read_text()
    assert device_scopes(open_snapshot(snapshot.path)) == (own,)
    with builder("second") as b:
        b.carry_over(snapshot, frozenset())
        assert device_scopes(b.finish()) == (own,)
    with builder("third") as b:
        assert device_scopes(b.finish()) == ()


def test_a_snapshot_that_was_touched_does_not_open(exports, read):
    path = read(exports / "generic.csv").snapshot.path
    assert open_snapshot(path).manifest.devices == 7
    for name in ("apps.parquet", "devices.parquet", "installs.parquet", "versions.parquet", "problems.jsonl"):
        whole = (path / name).read_bytes()
        (path / name).write_bytes(whole[:-1] + b"?" if whole else b"?")
        with pytest.raises(BrokenSnapshot) as error:
            open_snapshot(path)
        assert name in error.value.where.file
        (path / name).write_bytes(whole)
    (path / "apps.parquet").rename(path / "moved")
    with pytest.raises(BrokenSnapshot):
        open_snapshot(path)
    with pytest.raises(BrokenSnapshot):
        open_snapshot(path.parent)
    manifest = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(manifest.replace('"schema":1', '"schema":2'))
    with pytest.raises(WrongDocumentVersion):
        open_snapshot(path)
    (path / "manifest.json").write_text("{}")
    with pytest.raises(InvalidDocument):
        open_snapshot(path)


def test_the_same_exports_give_the_same_digest(exports, read):
    names = ("generic.csv", "amapi-devices.json", "fleet-hosts.json")
    first, second = (read(*(exports / name for name in names)).snapshot.manifest for _ in range(2))
    assert first == second


def test_a_builder_that_fails_leaves_nothing(builder, tmp_path):
    with pytest.raises(RuntimeError), builder("failed"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_text_never_meets_the_install_table(exports, read):
    import pyarrow.parquet as pq

    schema = pq.read_schema(read(exports / "generic.csv").snapshot.installs)
    assert {field.name: str(field.type) for field in schema} == {
        "device": "uint32",
        "app": "uint32",
        "side": "uint8",
        "held": "uint8",
        "removed": "bool",
        "version": "uint32",
    }
