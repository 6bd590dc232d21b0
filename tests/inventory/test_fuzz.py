"""Whatever a file holds, reading it ends in a snapshot or an error with a next step, and good rows are never lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.clock import ManualClock
from proscribe.errors import ProscribeError
from proscribe.inventory.importers.amapi import device_record
from proscribe.inventory.ingest import ingest
from proscribe.inventory.jsonstream import JsonRecords
from proscribe.inventory.model import Retention
from proscribe.inventory.opening import Opened
from proscribe.inventory.snapshot import open_snapshot

EXPORTS = Path(__file__).parent.parent / "fixtures" / "exports"
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pairs_of(data: bytes) -> set[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(data)
        snapshot = ingest([path], Path(folder) / "s", target_sets=(), retention=Retention.all, clock=ManualClock(NOW))
        open_snapshot(snapshot.path)
        devices = pq.read_table(snapshot.devices)["key"].to_pylist()
        apps = pq.read_table(snapshot.apps)["app_id"].to_pylist()
        rows = pq.read_table(snapshot.installs).to_pylist()
        assert snapshot.manifest.installs_kept == len(rows)
        return {(devices[row["device"]], apps[row["app"]]) for row in rows}


@st.composite
def damaged_fixtures(draw):
    names = sorted(path.name for path in EXPORTS.iterdir() if path.suffix not in (".py", ".md") and path.is_file())
    data = bytearray((EXPORTS / draw(st.sampled_from(names))).read_bytes())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        what = draw(st.sampled_from(["flip", "cut", "insert", "drop", "repeat"]))
        if what == "flip":
            data[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif what == "cut":
            del data[at:]
        elif what == "insert":
            data[at:at] = draw(st.sampled_from([b'"', b"\n", b"{", b"]", b"\0", b"\xff\xfe", b",", b"</plist>", b"\\"]))
        elif what == "drop":
            del data[at : at + draw(st.integers(1, 50))]
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 200))]
    return gzip.compress(bytes(data)) if draw(st.booleans()) else bytes(data)


@SLOW
@given(damaged_fixtures())
def test_damaged_exports_never_crash(data):
    try:
        pairs_of(data)
    except ProscribeError as error:
        assert error.remedy.en  # noqa: PT017
        assert error.remedy.fr  # noqa: PT017


@SLOW
@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_crash(data):
    for start in (b"", b"device,app_id\n", b'{"devices": [', b"<plist>", b"package:a.b\n", b"bplist00", b"PAR1"):
        try:
            pairs_of(start + data)
        except ProscribeError as error:
            assert error.code.startswith(("inventory.", "file."))  # noqa: PT017


cells = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)
bad_lines = st.sampled_from(["short,row", "a,b,c,d,e,f,g", ",android,cope,gone", '"open,android,cope,x.y', "", 'x"y,z'])


@SLOW
@given(
    st.lists(st.one_of(st.tuples(cells, cells), bad_lines), max_size=30),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_good_rows_of_a_table_are_never_lost(rows, delimiter, newline, encoding):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerow(["device", "platform", "enrolment", "app_id"])
    expected = set()
    for row in rows:
        if isinstance(row, str):
            text.write(row.replace(",", delimiter) + newline)
        else:
            device, app = row
            writer.writerow([device, "android", "cope", app])
            expected.add((f"generic:{device}", app))
    assert pairs_of(text.getvalue().encode(encoding)) >= expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Drip:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def read(self, _size: int = -1, /) -> bytes:
        return self._data.read(self._step)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=4), max_size=6),
    st.sampled_from(["lines", "array", "page", "pages", "sequence"]),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
)
def test_records_of_json_come_out_as_they_went_in(records, form, step, indent):
    records = [{"k": 1, **{name: value for name, value in record.items() if name != "devices"}} for record in records]
    if form == "lines":
        text = "\n".join(json.dumps(record) for record in records)
    elif form == "array":
        text = json.dumps(records, indent=indent)
    elif form == "page":
        text = json.dumps({"next": "x", "devices": records, "more": {"devices": [1]}}, indent=indent)
    elif form == "pages":
        text = json.dumps([{"devices": [record]} for record in records], indent=indent)
    else:
        text = " ".join(json.dumps({"devices": [record]}, indent=indent) for record in records)
    bad: list[int] = []
    opened = Opened("x", Drip(text.encode(), step))
    found = JsonRecords(opened, frozenset({"devices"}), on_bad=lambda number, _reason: bad.append(number))
    assert [record.value for record in found] == records
    assert bad == []


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "name",
                "applicationReports",
                "hardwareInfo",
                "softwareInfo",
                "managementMode",
                "lastStatusReportTime",
                "nonComplianceDetails",
                "enrollmentTokenData",
                "appliedPolicyVersion",
                "state",
            ]
        ),
        json_values,
    )
)
def test_any_device_of_the_android_api_is_read_or_refused(device):
    try:
        record, installs = device_record(device)
    except ProscribeError as error:
        assert error.where.field == "name"  # noqa: PT017
    else:
        assert all(install.device == record.key for install in installs)
