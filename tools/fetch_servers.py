"""Build the Apple servers that the tests of the connector run against, into ``.servers/``.

    python tools/fetch_servers.py [--folder .servers]

Go's own client fetches them at the exact versions below, holds every module against Go's checksum database, and the
two servers also against the digests written here. Nothing of them is part of Proscribe and nothing is committed. What
is missing is said, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A Go program. ``digest`` is what go.sum calls the hash of the module's files."""

    name: str
    module: str
    version: str
    digest: str
    licence: str
    takes: tuple[tuple[str, str], ...] = ()  # files of the module that the tests need, and the name each gets


SERVERS = (
    Server("nanomdm", "github.com/micromdm/nanomdm", "v0.9.0", "h1:pXzThrNLLS4zip0yT7BlKkFNwXNpQowMmuYx4hXSDWw=",
           "MIT", (("storage/pgsql/schema.sql", "nanomdm-pgsql.sql"),)),
    Server("kmfddm", "github.com/jessepeterson/kmfddm", "v0.8.3", "h1:wHuKSfb8r4T/RzcakCkI/XYEg08IfkR7EnTkahBW9Q8=",
           "MIT"),
)  # fmt: skip


class CannotHave(Exception):
    """A server could not be had; says why and what to do."""


def go(*words: str, **environment: str) -> str:
    """Run Go's client and give what it says. Raises CannotHave."""
    client = shutil.which("go")
    if client is None:
        raise CannotHave("Go is not on this machine (on Debian: apt-get install golang-go); it builds the servers")
    done = subprocess.run(
        [client, *words], env={**os.environ, **environment}, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise CannotHave(f"go {words[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout


def refuse_unchecked() -> None:
    """A Go that is told not to check what it fetches builds nothing. Raises CannotHave."""
    said = {name: go("env", name).strip() for name in ("GOSUMDB", "GONOSUMDB", "GOPRIVATE")}
    off = [name for name, value in said.items() if (value == "off" if name == "GOSUMDB" else value)]
    if off:
        raise CannotHave(f"{', '.join(off)} tells Go not to check what it fetches: unset it")


def build(server: Server, folder: Path) -> None:
    """Fetch, check and build one server, and lay beside it what the tests need of its module. Raises CannotHave."""
    fetched = json.loads(go("mod", "download", "-json", f"{server.module}@{server.version}"))
    if fetched["Sum"] != server.digest:
        raise CannotHave(f"{server.module} {server.version} has the digest {fetched['Sum']}, not {server.digest}")
    go(
        "install",
        # Its own Makefile puts the version in the same way; without it the server calls itself "unknown".
        f"-ldflags=-X main.version={server.version}",
        f"{server.module}/cmd/{server.name}@{server.version}",
        GOBIN=str(folder / "bin"),
    )
    for path, name in server.takes:
        target = folder / "share" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((Path(fetched["Dir"]) / path).read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("PROSCRIBE_TEST_SERVERS", ".servers")))
    folder = parser.parse_args().folder.resolve()
    missing = []
    try:
        refuse_unchecked()
    except CannotHave as error:
        sys.exit(str(error))
    for server in SERVERS:
        try:
            build(server, folder)
        except CannotHave as error:
            print(error, file=sys.stderr)
            missing.append(f"{server.name} {server.version}")
        else:
            print(f"{server.name} {server.version}")
    if missing:
        sys.exit("could not be had: " + ", ".join(missing))


if __name__ == "__main__":
    main()
