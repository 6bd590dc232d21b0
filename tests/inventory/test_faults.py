"""Files that break off, archives that explode, disks that fill, clocks that are wrong."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import zipfile
import zlib
from pathlib import Path

import pytest

from proscribe.errors import DiskFull, ProscribeError, UnreadableFile
from proscribe.inventory import ingest as ingest_module
from proscribe.inventory import opening, tables
from proscribe.inventory.errors import ArchiveBomb, NothingRead, SnapshotExists
from proscribe.inventory.ingest import ingest
from proscribe.inventory.opening import Limits, Opened, exports

HEADER = "device,platform,enrolment,observed_at,app_id\n"


def rows(count: int, start: int = 0) -> str:
    return "".join(f"d{n},android,cope,2026-11-01T00:00:00Z,a.b{n}\n" for n in range(start, start + count))


def test_truncated_gzip_keeps_the_rows_read_and_says_so(read):
    data = gzip.compress((HEADER + rows(20_000)).encode())
    found = read(data[: len(data) // 2])
    source = found.snapshot.manifest.sources[0]
    assert not source.complete
    assert 5_000 < len(found.installs) < 20_000
    assert "breaks off" in found.whats()
    assert found.pairs() == {(key, f"a.b{key.removeprefix('generic:d')}") for key in found.devices}


def test_damaged_gzip_keeps_the_rows_before_the_damage(read):
    plain = (HEADER + rows(50_000)).encode()
    engine = zlib.compressobj(wbits=31)
    data = engine.compress(plain[:1_500_000]) + engine.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 1000
    found = read(data)
    assert not found.snapshot.manifest.sources[0].complete
    assert len(found.installs) > 1000
    assert found.pairs() == {(key, f"a.b{key.removeprefix('generic:d')}") for key in found.devices}


def test_truncated_json_keeps_the_records_read(exports, read):
    text = (exports / "amapi-devices.json").read_text()
    found = read(text[: len(text) * 2 // 3])
    assert not found.snapshot.manifest.sources[0].complete
    assert 3 <= len(found.devices) < 8
    assert "breaks off" in found.whats()


def test_a_broken_record_does_not_hide_the_next(read):
    def device(number: int) -> str:
        return json.dumps({"name": f"enterprises/e/devices/{number}", "policyName": "p", "applicationReports": []})

    broken = '{"name": "enterprises/e/devices/x", "policyName": nonsense, "deep": {"a": ["}", 1]}}'
    found = read(f'{{"devices": [{device(1)}, {broken}, {device(2)}, 7, {device(3)}]}}')
    assert set(found.devices) == {f"amapi:enterprises/e/devices/{n}" for n in (1, 2, 3)}
    assert [problem for problem in found.problems if problem[0]] == [(2, ""), (4, "")]
    lines = "\n".join([device(1), broken, "what is this", device(2)])
    assert len(read(lines).devices) == 2


def test_good_files_are_kept_when_others_fail(exports, read, tmp_path):
    found = read(exports / "generic.csv", b"", tmp_path / "missing.csv", b"neither here nor there", gzip.compress(b""))
    assert len(found.devices) == 7
    problems = [problem for problem in found.snapshot.manifest.problems if problem.row == 0]
    assert {problem.file for problem in problems} == {"export1.bin", "missing.csv", "export3.bin", "export4.bin"}


def test_when_nothing_can_be_read_the_error_is_clear(tmp_path, clock, read):
    with pytest.raises(UnreadableFile):
        read(tmp_path / "missing.csv")
    with pytest.raises(NothingRead) as error:
        read(b"", b"???")
    assert "export0.bin" in str(error.value)
    with pytest.raises(NothingRead):
        ingest([], tmp_path / "none", target_sets=(), clock=clock)
    assert not (tmp_path / "none").exists()
    assert list(tmp_path.glob(".*")) == []


def test_a_folder_is_not_an_export(tmp_path, read):
    with pytest.raises(UnreadableFile):
        read(tmp_path)


def test_an_existing_snapshot_is_never_overwritten(tmp_path, clock, exports):
    (tmp_path / "s").mkdir()
    with pytest.raises(SnapshotExists):
        ingest([exports / "generic.csv"], tmp_path / "s", target_sets=(), clock=clock)


def bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"device,app_id\n" + b"0" * size)
    return packed.getvalue()


def opened_all(path: Path, limits: Limits) -> list[Opened | ProscribeError]:
    found = []
    for opened in exports(path, None, limits):
        found.append(opened)
        if isinstance(opened, Opened):
            opened.finish()
    return found


SMALL = Limits(ratio=50, ratio_from=1 << 16, total=1 << 22, members=3)


@pytest.mark.parametrize("form", ["zip", "gzip", "zip in zip", "lying zip", "many members", "large"])
def test_archive_bombs(form, tmp_path):
    path = tmp_path / "bomb"
    data = bomb(1 << 21)
    if form == "gzip":
        data = gzip.compress(b"device,app_id\n" + b"0" * (1 << 21))
    elif form == "zip in zip":
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("inner.zip", data)
        data = outer.getvalue()
    elif form == "lying zip":  # the directory says that the member is small
        size = (1 << 21) + 14
        data = data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    elif form == "many members":
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            for number in range(4):
                archive.writestr(f"{number}.csv", "device,app_id\n")
        data = outer.getvalue()
    elif form == "large":
        data = gzip.compress(os.urandom(1 << 20) * 5)
    path.write_bytes(data)
    if form == "lying zip":
        faults = [o.fault for o in opened_all(path, SMALL) if isinstance(o, Opened)]
        assert faults == [] or all(faults)  # zipfile itself stops at the stated size
        return
    with pytest.raises(ArchiveBomb) as error:
        opened_all(path, SMALL)
    assert error.value.code == "inventory.archive-bomb"


def test_a_bomb_among_files_is_an_error_with_a_next_step(read, monkeypatch):
    monkeypatch.setattr(ingest_module, "Limits", lambda: SMALL)
    with pytest.raises(ArchiveBomb) as error:
        read(bomb(1 << 21))
    assert "unpack it yourself" in error.value.remedy.en
    found = read(HEADER + rows(2), bomb(1 << 21))
    assert len(found.devices) == 2


def test_real_exports_pass_the_default_limits(read):
    text = HEADER + rows(60_000)
    assert len(read(gzip.compress(text.encode())).devices) == 60_000


def test_zip_members_are_sources_of_their_own_and_one_may_fail(exports, read):
    outer, inner = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(exports / "jamf-export.csv", "jamf.csv")
        archive.writestr("deep.zip", bomb(10))
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(exports / "generic.csv", "a/generic.csv")
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("packed.json.gz", gzip.compress((exports / "fleet-hosts.json").read_bytes()))
        archive.writestr("readme.txt", "nothing of interest")
    found = read(outer.getvalue())
    assert [source.name for source in found.snapshot.manifest.sources if source.complete] == [
        "export0.bin!a/generic.csv",
        "export0.bin!inner.zip!jamf.csv",
        "export0.bin!packed.json.gz",
    ]
    assert len(found.devices) == 7 + 3 + 4
    assert "a zip within a zip within a zip" in found.whats()
    assert any(problem.file == "export0.bin!readme.txt" for problem in found.snapshot.manifest.problems)


def test_zip_that_is_empty_or_locked(read):
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ProscribeError) as error:
        read(empty.getvalue())
    assert error.value.code == "inventory.empty"
    locked = bytearray(bomb(10))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(magic) + offset] |= 1
    with pytest.raises(ProscribeError) as error:
        read(bytes(locked))
    assert "password" in error.value.what.en


def test_a_zip_member_with_a_wrong_checksum_is_incomplete(read):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.csv", HEADER + rows(1000))
    data = packed.getvalue().replace(b"a.b999\n", b"a.b99X\n")
    found = read(data)
    assert len(found.devices) > 100
    assert not found.snapshot.manifest.sources[0].complete


def test_a_time_in_the_future_is_no_time(read):
    found = read(HEADER + "d,android,cope,2026-11-16T00:00:00Z,a.b\ne,android,cope,2026-11-15T12:04:00Z,a.b\n")
    assert found.devices["generic:d"]["observed_at"] is None
    assert found.devices["generic:d"]["freshness"] == "imported"
    assert found.devices["generic:e"]["freshness"] == "observed"
    problem = found.snapshot.manifest.problems[0]
    assert (problem.file, problem.field) == ("export0.bin", "observed_at")


def test_an_export_older_than_the_ban_keeps_its_age(exports, read):
    found = read(exports / "generic.csv")
    assert found.devices["generic:d7"]["observed_at"].isoformat() == "2023-06-01T08:30:00+00:00"
    assert found.devices["generic:d7"]["freshness"] == "observed"


def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("what", ["installs", "finish", "devices", "problems", "duckdb"])
def test_a_full_disk_leaves_nothing_behind(what, exports, tmp_path, clock, monkeypatch):
    from proscribe.inventory.builder import SnapshotBuilder

    source = exports / "generic.csv"
    if what == "installs":
        monkeypatch.setattr(tables.Installs, "_flush", full)
    elif what == "finish":
        monkeypatch.setattr(os, "fsync", full)
    elif what == "devices":
        monkeypatch.setattr("proscribe.inventory.builder.write_devices", full)
    elif what == "duckdb":

        def spill(*_args: object) -> int:
            raise RuntimeError('IO Error: Could not write file "x": No space left on device')

        monkeypatch.setattr(tables.Installs, "write", spill)
    else:
        source = tmp_path / "bad.csv"
        source.write_text(HEADER + "only,two\n")
        real = SnapshotBuilder.__init__

        def fill(self: SnapshotBuilder, *args: object, **kwargs: object) -> None:
            real(self, *args, **kwargs)
            self._problem_log.close()
            self._problem_log = type("Log", (), {"write": full, "closed": True, "close": lambda _: None})()

        monkeypatch.setattr(SnapshotBuilder, "__init__", fill)
    with pytest.raises(DiskFull) as error:
        ingest([source], tmp_path / "out" / "s", target_sets=(), clock=clock)
    assert error.value.transient
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_really_full_disk(tmp_path, clock):
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        path = tmp_path / "big.csv"
        path.write_text("device,app_id,version\n" + "".join(f"{os.urandom(16).hex()},a.b,{n}\n" for n in range(30_000)))
        with pytest.raises(DiskFull):
            ingest([path], small / "s", target_sets=(), clock=clock)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_other_errors_of_the_system_are_not_called_a_full_disk(exports, tmp_path, clock, monkeypatch):
    def denied(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("proscribe.inventory.builder.write_devices", denied)
    with pytest.raises(PermissionError):
        ingest([exports / "generic.csv"], tmp_path / "s", target_sets=(), clock=clock)


def test_reading_errors_of_the_disk_end_the_file_and_not_the_run():
    class Failing:
        count = 0

        def read(self, _size: int = -1, /) -> bytes:
            self.count += 1
            if self.count > 1:
                raise OSError(errno.EIO, "Input/output error")
            return b"device,app_id\n"

    opened = Opened("x", Failing())
    assert opened.read() == b"device,app_id\n"
    assert isinstance(opened.fault, UnreadableFile)


def test_memory_stays_flat_however_large_the_table(tmp_path):
    """Six times the rows must not take much more memory: each size is read in a process of its own."""
    import subprocess
    import sys

    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from datetime import UTC, datetime\n"
        "from proscribe.clock import ManualClock\n"
        "from proscribe.inventory.ingest import ingest\n"
        "source, out = map(Path, sys.argv[1:])\n"
        "s = ingest([source], out, target_sets=(), clock=ManualClock(datetime(2026, 11, 15, tzinfo=UTC)))\n"
        # Not ru_maxrss: that begins with the peak of the process that started this one, which is the whole test run.
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(peak, s.manifest.installs_seen)\n"
    )
    peaks = []
    for size in (400_000, 2_400_000):
        path = tmp_path / f"{size}.csv"
        with path.open("w") as table:
            table.write("device,platform,enrolment,app_id,app_name,version\n")
            for start in range(0, size, 1000):
                block = (
                    f"d{n // 100},android,cope,com.app{n % 5000},App,1.{n % 9}\n" for n in range(start, start + 1000)
                )
                table.write("".join(block))
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), str(tmp_path / f"s{size}")],
            check=True,
            capture_output=True,
            text=True,
        )
        peak, seen = map(int, done.stdout.split())
        assert seen == size
        peaks.append(peak)
    assert peaks[1] < peaks[0] * 2
    assert peaks[1] < 1_000_000  # kilobytes


def test_the_opened_stream_can_be_read_in_any_steps():
    data = bytes(range(256)) * 9000
    opened = Opened("x", io.BytesIO(data))
    taken = opened.read(10) + opened.read(opening.HEAD) + opened.read(3) + opened.read()
    assert taken == data
    assert opened.bytes_read == len(data)
    assert opened.read(5) == b""
