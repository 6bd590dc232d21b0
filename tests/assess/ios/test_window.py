"""Large members: only what is asked for is held, and the facts are the same as from the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import ModuleType

import pytest

from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.ios import window as module
from proscribe.assess.ios.codesign import read_signature
from proscribe.assess.ios.image import Budget, images, wanted
from proscribe.assess.ios.imports import imports
from proscribe.assess.ios.window import Window, open_window


def test_ranges_are_got_only_where_they_are_held() -> None:
    window = Window(100, (0, 50), (memoryview(bytes(range(10))), memoryview(bytes(range(50, 60)))))
    assert bytes(window.get(2, 3) or b"") == b"\x02\x03\x04"
    assert bytes(window.get(50, 10) or b"") == bytes(range(50, 60))
    assert bytes(window.slice(45, 20).get(5, 2) or b"") == bytes((50, 51))
    for place in ((8, 3), (30, 1), (55, 6), (99, 2), (-1, 1), (0, -1)):
        assert window.get(*place) is None


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large begins at 4 KiB here."""
    monkeypatch.setattr(module, "WHOLE", 0x1000)
    monkeypatch.setattr(module, "HEAD", 0x2000)
    monkeypatch.setattr("proscribe.assess.ios.image.MAX_COMMANDS", 0x1000)
    monkeypatch.setattr("proscribe.assess.intake.container._CHUNK", 3000)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("fat", [False, True])
def test_a_large_file_in_pieces_is_the_same_file(
    macho: ModuleType, zipped: Callable[..., Container], fat: bool
) -> None:
    signing = macho.Signing(der=macho.der_entitlements({"a": True}))
    one = macho.Thin(
        imports=("_a", "_b"), signing=signing, padding=300_000, sections={"__entitlements": b"<plist><dict/></plist>"}
    )
    two = macho.Thin("armv7", imports=("_c",), padding=100_000)
    data = macho.fat(one, two) if fat else one.build()
    container = zipped({"x": data})
    held = open_window(container, "x", wanted)
    assert sum(map(len, held.parts)) < len(data) / 5
    assert container.digests() == {"x": hashlib.sha256(data).hexdigest()}
    for ours, whole in zip(images(held), images(Window.of(data)), strict=True):
        assert (ours.architecture, ours.libraries) == (whole.architecture, whole.libraries)
        assert imports(ours, Budget()) == imports(whole, Budget()) != set()
        assert read_signature(ours, Budget()) == read_signature(whole, Budget())
        assert ours.problem == whole.problem == ""


@pytest.mark.usefixtures("small")
def test_what_is_too_large_to_hold_is_told(
    macho: ModuleType, zipped: Callable[..., Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 0x6000)
    many = tuple(f"_symbol{number}" for number in range(5000))
    container = zipped({"x": macho.Thin(imports=many, symbols_in=("symtab",)).build()})
    (image,) = images(open_window(container, "x", wanted))
    assert imports(image, Budget()) == set()
    assert image.problem == "macho.symbols-too-large"


@pytest.mark.usefixtures("small")
def test_a_large_file_that_is_none_is_only_hashed(zipped: Callable[..., Container]) -> None:
    data = b"\xcf\xfa\xed\xfe" + bytes(0x20000)
    container = zipped({"x": data})
    (image,) = images(open_window(container, "x", wanted))
    assert image.architecture == "cpu0"
    assert container.digests() == {"x": hashlib.sha256(data).hexdigest()}


@pytest.mark.usefixtures("small")
def test_a_broken_member_is_unreadable(zipped: Callable[..., Container]) -> None:
    container = zipped({"x": bytes(0x10000)})
    entry = container.entries["x"]
    broken = bytearray(container.data)
    broken[entry.offset : entry.offset + 8] = b"\xff" * 8
    container.data = memoryview(bytes(broken))
    with pytest.raises(UnreadableMember):
        open_window(container, "x", wanted)
