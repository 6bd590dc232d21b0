"""Members that are not what they are called, packing told by structure, hosts, native libraries."""

from __future__ import annotations

import base64
import functools
import gzip
import lzma
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.assess.code import elf, members, read_code
from proscribe.assess.code.hosts import host_of
from proscribe.assess.code.members import entropy
from proscribe.assess.facts import CodeFacts, Host, Reading
from proscribe.assess.intake.container import open_container
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch

Read = Callable[..., Reading[CodeFacts]]
SEND = ("Lapi/Sms;", "send")


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def small_dex(dx: ModuleType, *names: str) -> bytes:
    dex = dx.Dex()
    code = [*dx.invoke(0x71, [], dx.call(*SEND, "()V")), 0x0E]
    for name in names or ("Lapp/Main;",):
        dex.add(name).method("go", "()V", code)
    return dex.build()  # type: ignore[no-any-return]


def told(reading: Reading[CodeFacts]) -> set[tuple[str, str]]:
    return {(anomaly.code, anomaly.member) for anomaly in reading.anomalies}


# ---- dex files elsewhere -------------------------------------------------------------------------------------------


def test_dex_files_under_other_names_are_told_and_read(
    dx: ModuleType, read: Read, zipped: Callable[..., bytes]
) -> None:
    jar = zipped({"classes.dex": small_dex(dx, "Lhidden/Jar;"), "readme": b"x" * 200})
    hidden = {
        "assets/picture.png": small_dex(dx, "Lhidden/Picture;"),
        "classes4.dex": small_dex(dx, "Lhidden/Gap;"),  # Android stops looking at the gap before it
        "assets/x.jar": jar,
    }
    reading = read(small_dex(dx), small_dex(dx, "Lapp/Two;"), members=hidden, methods={SEND})
    elsewhere = {"assets/picture.png", "classes4.dex", "assets/x.jar!classes.dex"}
    assert told(reading) == {("code.dex-elsewhere", name) for name in elsewhere}
    assert reading.facts is not None
    assert {site.member for site in reading.facts.sites} == {"classes.dex", "classes2.dex", *elsewhere}


def test_parts_of_a_nested_package_are_named_as_evidence_names_them(
    dx: ModuleType, zipped: Callable[..., bytes]
) -> None:
    base = open_container(zipped({"classes.dex": small_dex(dx)}), name="base.apk")
    split = open_container(zipped({"classes.dex": small_dex(dx, "Lapp/Split;")}), name="split.apk")
    reading = read_code([base, split], Watch(methods=frozenset({SEND})))
    assert reading.facts is not None
    assert [file.member for file in reading.facts.dex] == ["base.apk!classes.dex", "split.apk!classes.dex"]
    assert len(reading.facts.sites) == 2


def test_nested_archives_that_cannot_be_read_are_told(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = b"PK\x03\x04" + bytes(100)
    assert told(read(members={"a.jar": broken})) == {("code.nested-not-read", "a.jar")}
    monkeypatch.setattr(members, "MOST_NESTED_BYTES", 10)
    assert told(read(members={"a.jar": broken})) == {("code.nested-not-read", "a.jar")}
    monkeypatch.setattr(members, "MOST_NESTED", 0)
    assert told(read(members={"a.jar": broken})) == {("code.nested-not-read", "")}


def test_archives_inside_archives_are_opened_up_to_a_depth(
    dx: ModuleType, read: Read, zipped: Callable[..., bytes]
) -> None:
    inner = zipped({"classes.dex": small_dex(dx, "Lhidden/Deep;"), "x.so": b"\x7fELF" + bytes(100)})
    names = {2: "a!a!", 3: "a!a!a!"}
    for depth in (2, 3, 4):
        data = inner
        for _ in range(depth - 1):
            data = zipped({"a": data})
        reading = read(members={"a": data})
        if depth in names:
            assert told(reading) == {
                ("code.dex-elsewhere", f"{names[depth]}classes.dex"), ("code.native-elsewhere", f"{names[depth]}x.so")
            }  # fmt: skip
        else:
            assert told(reading) == {("code.nested-not-read", "a!a!a!a")}


@pytest.mark.parametrize(
    ("wrapped", "disguise"),
    [
        (gzip.compress, "gzip"),
        (zlib.compress, "zlib"),
        (lzma.compress, "xz"),
        (functools.partial(lzma.compress, format=lzma.FORMAT_ALONE), "lzma"),
        (base64.b64encode, "base64"),
        (lambda data: bytes(byte ^ 0x5A for byte in data), "xor 0x5a"),
    ],
)
def test_code_and_archives_in_disguise_are_told(
    dx: ModuleType, read: Read, zipped: Callable[..., bytes], wrapped: Callable[[bytes], bytes], disguise: str
) -> None:
    for data in (small_dex(dx), zipped({"classes.dex": small_dex(dx)}), b"\x7fELF\x02\x01\x01" + bytes(300)):
        reading = read(members={"assets/x": wrapped(data)})
        assert [(one.code, one.member, one.detail) for one in reading.anomalies] == [
            ("code.disguised", "assets/x", disguise)
        ]
        assert reading.facts is not None
        assert reading.facts.encrypted_like == ("assets/x",)


@pytest.mark.parametrize(
    "harmless",
    [gzip.compress(b"text " * 900), zlib.compress(b"text " * 900), b"x" * 40, b"\x1f\x8bbroken", b"\x78\x9c?"],
    ids=[
        "gzip",
        "zlib",
        "text",
        "broken gzip",
        "broken zlib",
    ],  # gzip writes the time
)
def test_what_is_merely_compressed_is_no_disguise(read: Read, harmless: bytes) -> None:
    assert told(read(members={"assets/x": harmless})) == set()


def test_a_dex_file_before_the_archive_is_told(dx: ModuleType, zipped: Callable[..., bytes]) -> None:
    """The same file is a dex to one reader and an archive to the other (CVE-2017-13156)."""
    archive = open_container(small_dex(dx) + zipped({"classes.dex": small_dex(dx, "La/B;")}))
    assert ("code.disguised", "") in told(read_code([archive], Watch()))


def test_too_many_members_and_too_many_dex_files_are_told(
    dx: ModuleType, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MOST_ELSEWHERE", 1)
    reading = read(members={"a": small_dex(dx, "La/A;"), "b": small_dex(dx, "Lb/B;")})
    assert ("code.too-many-dex-elsewhere", "") in told(reading)
    assert reading.facts is not None
    assert len(reading.facts.dex) == 1
    monkeypatch.setattr(members, "MOST_MEMBERS", 1)
    assert ("code.members-not-looked-at", "b") in told(read(members={"a": b"x", "b": b"y", "c": b"z"}))


def test_a_member_that_does_not_inflate_is_a_problem_of_its_own(dx: ModuleType, zipped: Callable[..., bytes]) -> None:
    data = bytearray(zipped({"classes.dex": small_dex(dx)}))
    at = data.index(b"classes.dex") + len(b"classes.dex")
    data[at] = 0xFF
    reading = read_code([open_container(bytes(data))], Watch())
    assert (reading.runs[0].extent, reading.runs[0].problem) == (Extent.failed, "zip.bad-deflate")


# ---- packing -------------------------------------------------------------------------------------------------------


def test_declared_classes_that_no_dex_has(dx: ModuleType, read: Read) -> None:
    stub = small_dex(dx, "Lstub/Loader;", "Lapp/Main;")

    def marks(*declared: str) -> tuple[str, ...]:
        facts = read(stub, declared=declared).facts
        assert facts is not None
        return facts.packer_marks

    assert marks("stub.Loader", "app.Main", "app.Gone") == ()
    assert marks("stub.Loader", "app.Gone") == ()
    assert marks("stub.Loader", "app.Gone", "app.Gone2") == ("packer.declared-missing",)
    facts = read(dx.Dex().build(), declared=("app.Main",)).facts
    assert facts is not None
    assert facts.packer_marks == ("packer.no-classes",)
    assert marks() == ()


def test_little_code_and_much_noise(dx: ModuleType, read: Read) -> None:
    facts = read(small_dex(dx), members={"assets/data.bin": noise(200_000), "assets/b": noise(1000)}).facts
    assert facts is not None
    assert (facts.packer_marks, facts.encrypted_like) == (("packer.stub-and-noise",), ("assets/data.bin",))


def test_noise_under_a_name_of_code(dx: ModuleType, read: Read) -> None:
    named = {"assets/a.jar": noise(5000), "lib/x.so": noise(4000), "classes2.dex": noise(6000), "b.dex": b"text " * 900}
    reading = read(small_dex(dx), members=named)
    assert reading.facts is not None
    assert reading.facts.encrypted_like == ("assets/a.jar", "classes2.dex", "lib/x.so")
    assert reading.facts.packer_marks == ()
    assert reading.facts.dex[0].problem or reading.facts.dex[1].problem == "dex.bad-magic"


def test_media_and_compressed_data_are_no_noise(dx: ModuleType, read: Read) -> None:
    media = {
        "a.png": b"\x89PNG" + noise(300_000),
        "b.mp4": bytes(4) + b"ftyp" + noise(300_000),
        "c.gz": b"\x1f\x8b" + zlib.compress(noise(300_000)),
        "d.txt": b"words and words " * 20_000,
    }
    facts = read(small_dex(dx), members=media).facts
    assert facts is not None
    assert (facts.packer_marks, facts.encrypted_like) == ((), ())


def test_entropy_at_its_ends() -> None:
    assert entropy(b"") == entropy(b"aaaa") == 0
    assert entropy(bytes(range(256))) == 8
    assert entropy(b"ab" * 8) == 1


# ---- hosts ---------------------------------------------------------------------------------------------------------


def test_hosts_of_strings(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    texts = [
        "https://a.example/x?y=http://b.example:8080",
        "wss://user:pw@C.Example.",
        "http://192.168.1.9:80/",
        "http://[2001:DB8::1]:80/",
        "http://exämple.example/",
        "content://sms/inbox",
        "file:///etc",
        "http://localhost/",
        "http://%s/path",
        "www.plain.example",
        "//cdn.example/lib.js",
        "://odd.example",
        "com.example.ClassName",
        "http://a.example",
    ]
    dex.mention(*map(dx.string, texts))
    facts = read(dex.build()).facts
    assert facts is not None
    assert {host.host: host.schemes for host in facts.hosts} == {
        "a.example": ("http", "https"),
        "b.example": ("http",),
        "c.example": ("wss",),
        "192.168.1.9": ("http",),
        "[2001:db8::1]": ("http",),
        "exämple.example": ("http",),
        "www.plain.example": (),
        "cdn.example": (),
        "odd.example": (),
    }
    assert facts.hosts[0] == Host("192.168.1.9", "classes.dex", ("http",))


@pytest.mark.parametrize("text", ["", "localhost", "-a.example", "a..b", "a.1", "[nonsense]", "a.b" * 100])
def test_what_is_no_host(text: str) -> None:
    assert host_of(text) == ""


@given(text=st.text(max_size=80))
def test_a_host_is_its_own_host(text: str) -> None:
    host = host_of(text)
    assert host_of(host) == host


# ---- native libraries ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_object(builder: Callable[[str], ModuleType]) -> bytes:
    """A library that takes ``ptrace`` from the C library."""
    imports = ("ptrace", *(f"function_{number}" for number in range(400)))
    return bytes(builder("elf").shared_object(imports, ("own",), ("libc.so",)))


def test_imports_of_a_library(read: Read, shared_object: bytes) -> None:
    reading = read(members={"lib/any/liba.so": shared_object, "assets/b": shared_object}, native={"ptrace", "own"})
    assert reading.facts is not None
    for library in reading.facts.native:
        assert (library.imports, library.problem, library.size) == (("ptrace",), "", len(shared_object))
        assert (library.import_count, library.needed, library.abi) == (401, ("libc.so",), "arm64-v8a")
    assert told(reading) == {("code.native-elsewhere", "assets/b")}
    run = reading.runs[1]
    assert (run.of, run.extent, run.read, run.total) == (FactClass.native, Extent.complete, 2, 2)
    assert run.reader == "elf"


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        (4, "elf.unreadable"),
        (19, "elf.unreadable"),
        (40, "elf.truncated"),
        (64, "elf.truncated"),
        (-8192, "elf.truncated"),
    ],
)
def test_a_broken_library_is_told(read: Read, shared_object: bytes, cut: int, problem: str) -> None:
    reading = read(members={"lib/any/liba.so": shared_object[:cut], "lib/any/libb.so": shared_object})
    assert (reading.runs[1].extent, reading.runs[1].problem) == (Extent.partial, problem)


def test_a_library_without_a_dynamic_section_is_told_and_a_static_program_is_not(shared_object: bytes) -> None:
    headers = bytearray(shared_object[:64])
    headers[56:58] = bytes(2)  # no program headers
    assert elf.library("a", "", bytes(headers), frozenset()).problem == "elf.no-dynamic"
    headers[16:18] = b"\2\0"  # an executable
    assert elf.library("a", "", bytes(headers), frozenset()).problem == ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(4, 4096), st.binary(min_size=1, max_size=8)), min_size=1, max_size=5))
def test_a_mutated_library_never_raises(shared_object: bytes, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(shared_object)
    for at, new in changes:
        data[at : at + len(new)] = new
    found = elf.library("a", "", bytes(data), frozenset({"ptrace"}))
    assert found.size == len(data)


def test_a_library_that_is_too_large_is_not_read(
    read: Read, shared_object: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elf, "MOST_BYTES", 10)
    reading = read(members={"lib/any/liba.so": shared_object})
    assert (reading.runs[1].extent, reading.runs[1].problem) == (Extent.failed, "elf.not-read")


def test_a_library_that_does_not_inflate(shared_object: bytes, zipped: Callable[..., bytes]) -> None:
    data = bytearray(zipped({"lib/a.so": shared_object}))
    # The stream stays good for the first bytes, by which the library is recognised.
    at = data.index(b"lib/a.so") + 8 + 1500
    data[at : at + 8] = b"\xff" * 8
    reading = read_code([open_container(bytes(data))], Watch())
    assert reading.runs[1].problem.startswith("zip.") or reading.runs[1].problem == "elf.unreadable"


def test_numpy_is_loaded_by_what_reads_code_alone(dx: ModuleType, tmp_path: Path) -> None:
    script = (
        "import sys; from proscribe.assess.code import read_code; from proscribe.assess.watch import Watch;"
        "assert 'numpy' not in sys.modules; from proscribe.assess.intake.container import open_container;"
        "read_code([open_container(open(sys.argv[1], 'rb').read())], Watch()); assert 'numpy.ma' not in sys.modules"
    )
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as written:
        written.writestr("classes.dex", small_dex(dx))
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.zip")], check=True)
