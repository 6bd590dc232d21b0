"""Real NanoMDM tells a real ``proscribe receive``, phones speak as fast as they can, and the receiver is killed.

NanoMDM tells an event once and only logs what became of it: its log is the judge of what may be missing.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.connectors.nanomdm.receiving import until
from tests.connectors.nanomdm.servers import NanoMdm, Servers, free_port
from tests.connectors.nanomdm.world import CountingEndpoint

from proscribe.connectors.memory import Memory
from proscribe.connectors.nanomdm.model import Gap
from proscribe.connectors.nanomdm.records import Records
from proscribe.service import following
from proscribe.service.installation import Installation, open_installation
from proscribe.simulate.apple import CertificateAuthority, FleetSpec, Phone, check_in, enrol, make_phones

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PHONES = 20
BEFORE, MEANWHILE, AFTER = 1_000, 200, 1_000  # messages of phones: before the kill, while nobody listens, and then


class Receiver:
    """``proscribe receive``, as a process."""

    def __init__(self, home: Path) -> None:
        self._command = [str(Path(sys.executable).with_name("proscribe")), "receive", "--home", str(home)]
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        assert self.process.stderr is not None
        assert "listening" in self.process.stderr.readline()

    def end(self, number: int) -> None:
        """Send a signal, and wait for the end."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=60)


@contextmanager
def polling(phones: list[Phone]) -> Iterator[None]:
    """Phones that ask for commands as fast as they can, as long as the block runs."""
    stop = threading.Event()

    def poll(phone: Phone) -> None:
        while not stop.is_set():
            phone.check_in()

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(poll, phone) for phone in phones[:4]]
        try:
            yield
        finally:
            stop.set()
    for each in running:
        each.result()


def untold(server: NanoMdm) -> int:
    """Events that NanoMDM could not tell, as it logged."""
    return server.log.read_text("utf-8", "replace").count("sub_service=1 err=")


@pytest.fixture
def server(home: Path, real_servers: Servers) -> NanoMdm:
    port = free_port()
    started = real_servers.nanomdm(webhook=f"http://127.0.0.1:{port}/webhook")
    (home / "proscribe.toml").write_text(
        f'[systems.apple]\nconnector = "nanomdm"\nendpoint = "{started.endpoint}"\napi_key = "{started.api_key}"\n'
        f'push = "false"\nwebhook_key = "{started.hmac_key}"\nlisten = "127.0.0.1:{port}"\n',
        encoding="utf-8",
    )
    return started


@pytest.fixture
def receiver(home: Path, server: NanoMdm) -> Iterator[Receiver]:
    running = Receiver(home)
    running.start()
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture
def endpoint(server: NanoMdm, authority: CertificateAuthority) -> Iterator[CountingEndpoint]:
    with CountingEndpoint(server.checkin, authority) as opened:
        yield opened


def remembered() -> Memory:
    """The connector's memory, once the store is open."""
    from proscribe.store import repositories

    return repositories.Memory("nanomdm")


def stored(memory: Memory) -> int:
    """Events that were stored: in the inbox, or dealt with since."""
    with memory.atomic():  # at one moment: what is dealt with in between would be counted twice
        waiting = len(memory.unread(1_000_000))
        return waiting + sum(by for name, by in memory.counters().items() if name.startswith("taken."))


def test_nothing_is_lost_but_what_is_known_to_be(
    home: Path, server: NanoMdm, receiver: Receiver, endpoint: CountingEndpoint
) -> None:
    memory = remembered()
    phones = make_phones(FleetSpec(phones=PHONES, behaviours=(), guaranteed=()))
    enrol(phones, endpoint)
    with polling(phones):
        until(lambda: endpoint.said >= BEFORE, "the phones speak")
    until(lambda: stored(memory) == endpoint.said, "every event is stored")
    assert untold(server) == 0

    with polling(phones):
        begun = endpoint.said
        until(lambda: endpoint.said >= begun + MEANWHILE, "the phones speak")
        receiver.end(signal.SIGKILL)
        killed = endpoint.said
        until(lambda: endpoint.said >= killed + MEANWHILE, "the phones speak to nobody")
        receiver.start()
        again = endpoint.said
        until(lambda: endpoint.said >= again + AFTER, "the phones speak")
    until(lambda: stored(memory) + untold(server) >= endpoint.said, "every event is stored or known to be lost")
    assert untold(server) > 0
    assert stored(memory) >= endpoint.said - untold(server), "what was acknowledged is stored"

    installation = open_installation(home, actor="watch")
    healed = heal(installation, phones)
    assert healed.healed_at is not None
    devices = {device.id: device for device in Records(memory).devices()}
    assert devices.keys() == {phone.id for phone in phones}
    assert all(device.informed_at is not None and device.informed_at >= healed.ended for device in devices.values())
    assert memory.counters().get("bad", 0) == 0


def heal(installation: Installation, phones: list[Phone]) -> Gap:
    """Follow up until the gap is healed and every device was asked anew; gives the gap."""
    memory = remembered()

    def asked() -> bool:
        following.follow_up(installation, asking_only=True)
        check_in(phones)
        (gap,) = Records(memory).gaps()
        known = [device.informed_at for device in Records(memory).devices()]
        return gap.healed_at is not None and all(moment is not None and moment >= gap.ended for moment in known)

    until(asked, "every device is asked anew")
    (gap,) = Records(memory).gaps()
    return gap
