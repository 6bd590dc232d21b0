"""The Apple servers of a rehearsal: the real NanoMDM and KMFDDM where they are on this machine, else the simulation."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from proscribe.simulate.nanomdm.kmfddm import KmfddmSimulator
from proscribe.simulate.nanomdm.server import NanomdmSimulator

BUILT = Path(".servers") / "bin"
"""Where ``make servers`` puts the programs, from the folder of the project."""

_PATIENCE = 20.0  # seconds for a server to listen


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that run. ``programs``: name and version of the real ones; empty where they are simulated."""

    endpoint: str
    mdm_url: str
    api_key: str = field(repr=False)
    kmfddm_endpoint: str = ""
    kmfddm_key: str = field(default="", repr=False)
    webhook_key: str = field(default="", repr=False)
    programs: tuple[str, ...] = ()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def apple_servers(folder: Path, authorities: bytes, webhook_url: str) -> Iterator[Stage]:
    """Servers for as long as the block runs. ``folder`` takes their files; ``authorities``: PEM that devices show."""
    path = os.pathsep.join((str(BUILT.absolute()), os.environ.get("PATH", "")))
    nanomdm, kmfddm = shutil.which("nanomdm", path=path), shutil.which("kmfddm", path=path)
    keys = {name: secrets.token_hex(16) for name in ("api", "kmfddm", "webhook")}
    with ExitStack() as running:
        if nanomdm and kmfddm:
            yield _real(running, folder, authorities, webhook_url, (nanomdm, kmfddm), keys)
        else:
            yield _simulated(running, authorities, webhook_url, keys)


def _simulated(running: ExitStack, authorities: bytes, webhook_url: str, keys: dict[str, str]) -> Stage:
    declarations = running.enter_context(KmfddmSimulator(api_key=keys["kmfddm"]))
    server = running.enter_context(
        NanomdmSimulator(
            ca_pem=authorities,
            api_key=keys["api"],
            webhook_url=webhook_url,
            webhook_key=keys["webhook"],
            declarations=declarations,
        )
    )
    return Stage(server.endpoint, server.mdm_url, keys["api"], declarations.endpoint, keys["kmfddm"], keys["webhook"])


def _real(
    running: ExitStack,
    folder: Path,
    authorities: bytes,
    webhook_url: str,
    programs: tuple[str, str],
    keys: dict[str, str],
) -> Stage:
    folder.mkdir(parents=True, exist_ok=True)
    roots = folder / "authorities.pem"
    roots.write_bytes(authorities)
    kmfddm = _start(running, folder, programs[1], {"KMFDDM_API": keys["kmfddm"]}, ())
    nanomdm = _start(
        running,
        folder,
        programs[0],
        {"NANOMDM_API": keys["api"], "NANOMDM_WEBHOOK_HMAC_KEY": keys["webhook"]},
        (f"-ca={roots.absolute()}", f"-webhook-url={webhook_url}", f"-dm={kmfddm}/"),
    )
    return Stage(
        nanomdm,
        f"{nanomdm}/mdm",
        keys["api"],
        kmfddm,
        keys["kmfddm"],
        keys["webhook"],
        (f"NanoMDM {_version(nanomdm)}", f"KMFDDM {_version(kmfddm)}"),
    )


def _start(
    running: ExitStack, folder: Path, program: str, environment: dict[str, str], arguments: Sequence[str]
) -> str:
    """Start a program with its files beside, and wait until it answers; its address."""
    name = Path(program).name
    endpoint = f"127.0.0.1:{free_port()}"
    log = running.enter_context((folder / f"{name}.log").open("wb"))
    files = (folder / f"{name}-files").absolute()
    process = subprocess.Popen(  # noqa: S603 (the program that was found, our own arguments)
        [program, f"-listen={endpoint}", "-storage=filekv", f"-storage-dsn={files}", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    running.callback(process.wait)
    running.callback(process.terminate)
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            _version(f"http://{endpoint}")
        except URLError:
            time.sleep(0.02)  # nothing tells when another process listens
        else:
            return f"http://{endpoint}"
    raise RuntimeError(f"{program} did not start; see {folder / name}.log")


def _version(endpoint: str) -> str:
    import json

    with urlopen(f"{endpoint}/version", timeout=5) as answer:  # noqa: S310 (loopback)
        found: str = json.load(answer)["version"]
    return found
