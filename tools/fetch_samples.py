"""Fetch the packages that the assessment's oracle tests read, by their ordinary package clients, into ``.samples/``.

    python tools/fetch_samples.py [--folder .samples]

Nothing here is part of Proscribe and nothing of it is committed. Each archive is checked against the digest written
below before anything is taken out of it; what cannot be had is said, and the exit status is 1. Debian's source packages
need ``apt-get`` (the lists go to a folder of their own, the machine's stay as they are); npm's need ``npm``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Take:
    """Members of an archive that match ``pattern``, and the folder they go to.

    ``tree`` keeps their own folders, ``name`` gives the one member another name.
    """

    pattern: str
    folder: str
    tree: bool = False
    name: str = ""


@dataclass(frozen=True)
class Archive:
    """One archive of a registry. ``client``: pip, pip-sdist, npm or debian."""

    client: str
    package: str
    version: str
    sha256: str
    licence: str
    takes: tuple[Take, ...]


_APK = r"([^/]+\.apk)$"
ARCHIVES = (
    Archive("pip-sdist", "airtest", "1.4.3", "6208e83ca8d3618e32b8eee23b3e857a0077cd59accf158dd567a81df2a3b84c",
            "Apache-2.0", (Take(r"static/apks/(Yosemite\.apk)$", "apk"),)),
    Archive("pip", "betocq", "2.6.0", "ccaa4612321046a72054e1650d0c09853eea1ca950105dc92b35942e075ff7cd",
            "Apache-2.0", (Take(r"snippets/" + _APK, "apk"),)),
    Archive("pip", "uiautomator2", "3.7.1", "55ccc16f7c52d3035dbc14e1400524e76510dc353f9fc4a0bfa85bf58c51cc67",
            "MIT", (Take(r"assets/" + _APK, "apk"),)),
    Archive("npm", "appium-uiautomator2-server", "10.6.6",
            "c0ddd247106d51d41749ae3aeb1818df18f46735020ae464f525d016e96f2fe9",
            "Apache-2.0", (Take(r"apks/" + _APK, "apk"),)),
    Archive("npm", "android-apidemos", "5.0.0", "8efe4f6cef47fba151718e2471dc1c8ac9a37623841a2485e65752222253b39c",
            "Apache-2.0", (Take(r"apks/" + _APK, "apk"),)),
    Archive("npm", "io.appium.settings", "8.0.10", "1903bba3c16b387af259c79bd7eac26e905b5b7b016702aa25644fe673ff0b2d",
            "Apache-2.0", (Take(r"apks/" + _APK, "apk"),)),
    Archive("npm", "agent-device", "0.21.5", "f8ab38bf6e1785d0340078f4a7504b6b9d71be319bd2975e7a79394ad3675758",
            "MIT", (Take(r"dist/" + _APK, "apk"),)),
    Archive("npm", "detox", "20.51.4", "e0628d627fe660930d57406047dd1fa6cd3a9a32d5f283af97f361e30b7981de",
            "MIT", (Take(r"Detox-ios-(?:xcuitest|framework)\.tbz$", "ios"),)),
    Archive("npm", "@microsoft/jest-sarif", "1.0.0-beta.0",
            "748e2c3d1a842e7bb258416685c7ea3a0da40005b72267b2052c2856d48ad102",
            "MIT", (Take(r"schemas/sarif-2\.1\.0-rtm\.5\.json$", "schemas", name="sarif-schema-2.1.0.json"),)),
    Archive("pip-sdist", "fdroidserver", "2.4.5", "f9b52646264c732678e32e37e23a995db20cc61d45622dda5830ce23255547f4",
            "AGPL-3.0-or-later", (Take(r"tests/(.+\.apk)$", "fdroid"),)),
    Archive("debian", "androguard", "3.4.0~a1", "9af53333d3d69bc79bf353cd44876c5244d53398ec6857b1b191d63dc6ec04f5",
            "Apache-2.0", (Take(r"examples/signing/apksig/" + _APK, "apksig"),
                           Take(r"examples/(?!signing/apksig)(.+\.(?:apk|dex|arsc|a?xml))$", "androguard", tree=True))),
    Archive("debian", "apktool", "2.7.0+dfsg", "e6f7d2badf0512633952ef4589a1b5e9c31c0b87f4054bb30fe4c68c8e8b5e00",
            "Apache-2.0", (Take(r"src/test/resources/(.+\.apk)$", "apktool", tree=True),)),
)  # fmt: skip
LARGEST = 64 << 20  # a member; the largest there is has 25 MB


def run(command: list[str], cwd: Path, *, check: bool = True) -> None:
    subprocess.run(command, cwd=cwd, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def fetch(archive: Archive, into: Path) -> None:
    """Ask the registry's own client for one archive."""
    name = f"{archive.package}=={archive.version}"
    if archive.client.startswith("pip"):
        kind = ["--no-binary", ":all:"] if archive.client == "pip-sdist" else []
        run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", *kind, name], into, check=False)
    elif archive.client == "npm":
        run(["npm", "pack", "--silent", f"{archive.package}@{archive.version}"], into)
    else:
        fetch_debian_source(archive.package, into)


def fetch_debian_source(package: str, into: Path) -> None:
    """``apt-get source`` with source lists made from the machine's own, in a state folder of their own."""
    private = into / "apt"
    if not private.exists():
        (private / "lists" / "partial").mkdir(parents=True)
        (private / "sources").mkdir()
        for source in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
            text = re.sub(r"^Types: deb$", "Types: deb-src", source.read_text("utf-8"), flags=re.MULTILINE)
            (private / "sources" / source.name).write_text(text, "utf-8")
        classic = Path("/etc/apt/sources.list")
        if classic.exists():
            text = re.sub(r"^deb ", "deb-src ", classic.read_text("utf-8"), flags=re.MULTILINE)
            (private / "sources" / "classic.list").write_text(text, "utf-8")
    options = [
        f"-oDir::Etc::sourceparts={private / 'sources'}", "-oDir::Etc::sourcelist=/dev/null",
        f"-oDir::State::lists={private / 'lists'}", "-oAPT::Sandbox::User=root",
    ]  # fmt: skip
    if not any((private / "lists").glob("*Sources*")):
        run(["apt-get", *options, "update", "-qq"], into)
    # Only the upstream archive is wanted; Debian's own part of an older revision may be gone from the mirror.
    run(["apt-get", *options, "source", "--download-only", "-qq", package], into, check=False)


def found(archive: Archive, folder: Path) -> Path | None:
    """The downloaded file with the digest written above."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and archive.package.split("/")[-1] in file.name:
            with file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() == archive.sha256:
                    return file
    return None


def members(file: Path):
    """(name, bytes) of every regular member; nothing is written by the archive's own names."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as bundle:
            for entry in bundle.infolist():
                if not entry.is_dir() and entry.file_size <= LARGEST:
                    yield entry.filename, bundle.read(entry)
        return
    with tarfile.open(file) as bundle:
        for member in bundle:
            stream = bundle.extractfile(member) if member.isfile() and member.size <= LARGEST else None
            if stream is not None:
                yield member.name, stream.read()


def take(archive: Archive, file: Path, folder: Path) -> int:
    """Put the wanted members in their folders; returns how many."""
    count = 0
    for name, data in members(file):
        for wanted in archive.takes:
            match = re.search(wanted.pattern, name)
            if not match or ".." in name:
                continue
            inner = wanted.name or (match.group(1) if match.groups() else Path(name).name)
            target = folder / wanted.folder / (inner if wanted.tree else inner.replace("/", "_"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            count += 1
    return count


def unpack_ios(folder: Path) -> None:
    """The app bundles inside detox's archives, as folders."""
    for file in sorted((folder / "ios").glob("*.tbz")):
        with tarfile.open(file) as bundle:
            bundle.extractall(folder / "ios", filter="data")
        file.unlink()
    for app in sorted((folder / "ios").glob("*/**/*.app")):  # tests want them side by side
        if not any(part.endswith(".app") for part in app.relative_to(folder / "ios").parts[:-1]):
            app.rename(folder / "ios" / app.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("PROSCRIBE_SAMPLES", ".samples")))
    folder = parser.parse_args().folder.resolve()
    done = folder / ".fetched"
    folder.mkdir(parents=True, exist_ok=True)
    have = set(done.read_text("utf-8").split()) if done.exists() else set()
    missing = []
    with tempfile.TemporaryDirectory() as scratch:
        for archive in ARCHIVES:
            if archive.sha256 in have:
                continue
            try:
                fetch(archive, Path(scratch))
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"{archive.package}: {getattr(error, 'stderr', '') or error}", file=sys.stderr)
            file = found(archive, Path(scratch))
            if file is None:
                missing.append(f"{archive.package} {archive.version}")
                continue
            print(f"{archive.package} {archive.version}: {take(archive, file, folder)} files")
            have.add(archive.sha256)
        unpack_ios(folder)
    done.write_text("\n".join(sorted(have)) + "\n", "utf-8")
    shutil.rmtree(folder / "apt", ignore_errors=True)
    if missing:
        sys.exit("could not be had with these digests: " + ", ".join(missing))


if __name__ == "__main__":
    main()
