"""Scheme v1: every entry is listed in MANIFEST.MF, whose sections .SF files list, which PKCS #7 blocks sign.

Followed as Android follows it, not as Java does: META-INF is not covered, every other entry must be, and all of them by
the same signers. Source: ``apksigner``'s account of the platform's versions, checked against it file by file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.signing.algorithms import NOUGAT, PIE
from proscribe.assess.signing.certificate import X509
from proscribe.assess.signing.jar_digests import Named, actual_digests, check_local_header, named_digests, verified
from proscribe.assess.signing.jar_manifest import Section, TooManyAttributes, sections
from proscribe.assess.signing.pkcs7 import SignedData, parse_signed_data, verify_detached
from proscribe.assess.signing.problems import SignatureProblem

MANIFEST = "META-INF/MANIFEST.MF"
_META_INF = "META-INF/"
_BLOCKS = (".RSA", ".DSA", ".EC")
_SIGNERS = 10  # as Android has it
_BLOCK_SIZE = 1 << 20
_TEXT_SIZE = 16 << 20  # of the manifest and all signature files together; 50,000 entries need 10 MiB
_LISTED = 5
_DUPLICATE = "zip.duplicate-name"


@dataclass(slots=True)
class JarResult:
    """What came of scheme v1. ``problem`` None: every entry is covered by valid signatures of ``signers``."""

    signers: tuple[X509, ...] = ()
    problem: SignatureProblem | None = None
    warnings: list[str] = field(default_factory=list)
    claimed: list[X509] = field(default_factory=list)


@dataclass(slots=True)
class _Signer:
    """A block and its signature file, on the way to being verified."""

    block: str
    file: str
    text: bytes
    certificate: X509
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Manifest:
    text: bytes
    main: Section
    entries: Mapping[str, Section]


class _Ignored(Exception):
    """A signature file that Android passes over."""


def has_jar_signature(apk: Container) -> bool:
    """Whether there is anything of scheme v1 in the package."""
    return MANIFEST in apk.entries and any(_blocks(apk))


def claimed_in_jar(apk: Container) -> list[X509]:
    """Certificates that stand in signature blocks, whatever they sign."""
    certificates: list[X509] = []
    for name in list(_blocks(apk))[:_SIGNERS]:
        try:
            certificates += _signed_data(apk, name).certificates
        except SignatureProblem:
            continue
    return certificates


def verify_jar(apk: Container, low: int, high: int, found: frozenset[int], directory: int) -> JarResult:
    """Verify scheme v1 for Android versions from ``low`` to ``high``.

    ``found``: numbers of the newer schemes that were found, against their being taken away; ``directory``: where the
    central directory begins.
    """
    result = JarResult(claimed=claimed_in_jar(apk))
    try:
        _check_layout(apk, directory)
        result.signers = _JarVerifier(apk, low, high, found, result.warnings).verify()
    except SignatureProblem as problem:
        result.problem = problem
    except UnreadableMember as problem:
        result.problem = SignatureProblem("apk.malformed-zip-entry", str(problem))
    except TooManyAttributes as problem:
        result.problem = SignatureProblem("jar-sig.malformed-manifest", str(problem))
    return result


def _check_layout(apk: Container, directory: int) -> None:
    """No entry twice, and none that reaches into the directory. Raises SignatureProblem."""
    for anomaly in apk.anomalies:
        if anomaly.code == _DUPLICATE and not anomaly.member.endswith("/"):
            raise SignatureProblem("jar-sig.duplicate-zip-entry", anomaly.member)
    for name, entry in apk.entries.items():
        if entry.offset + (entry.compressed if entry.method else entry.size) > directory:
            raise SignatureProblem("apk.malformed-zip-entry", f"{name} reaches into the directory")


def _blocks(apk: Container) -> Iterator[str]:
    return (name for name in apk.entries if name.startswith(_META_INF) and name.endswith(_BLOCKS))


def _read(apk: Container, name: str, limit: int) -> bytes:
    """A file of META-INF. Raises UnreadableMember.

    Android's verifier inflates whatever is not stored, while the rest of Android takes what is not deflated for stored.
    Its rule holds for the files that are read for the signature alone; what the signature covers is read as it runs.
    """
    entry = apk.entries[name]
    check_local_header(apk, name)
    if entry.method in (0, 8) or entry.offset < 0:
        return apk.read(name, limit)
    try:
        raw = apk.data[entry.offset : entry.offset + entry.compressed]
        data = zlib.decompressobj(-15).decompress(raw, min(entry.size, limit) + 1)
    except zlib.error as error:
        raise UnreadableMember("zip.bad-deflate", str(error)) from error
    if len(data) != entry.size or entry.size > limit:
        raise UnreadableMember("zip.size-lie", str(entry.size))
    return data


def _signed_data(apk: Container, name: str) -> SignedData:
    """The PKCS #7 block of that name. Raises SignatureProblem."""
    try:
        return parse_signed_data(_read(apk, name, _BLOCK_SIZE))
    except UnreadableMember as problem:
        raise SignatureProblem("apk.malformed-zip-entry", f"{name}: {problem}") from problem


class _JarVerifier:
    def __init__(self, apk: Container, low: int, high: int, found: frozenset[int], warnings: list[str]) -> None:
        self._apk = apk
        self._low = low
        self._high = high
        self._found = found
        self._warnings = warnings
        self._budget = _TEXT_SIZE

    def verify(self) -> tuple[X509, ...]:
        """The certificates of those who signed every entry. Raises SignatureProblem, UnreadableMember and others."""
        if MANIFEST not in self._apk.entries:
            raise SignatureProblem("jar-sig.no-manifest")
        manifest = self._manifest()
        signers = self._signers()
        counted = []
        for signer in signers:
            try:
                signer.names = self._check_signature_file(signer, manifest)
                counted.append(signer)
            except _Ignored as why:
                self._warnings.append(str(why))
        if not counted:
            raise SignatureProblem("jar-sig.no-signatures")
        signed_by = self._check_entries(manifest, counted)
        self._note_uncovered(signed_by)
        return tuple(signer.certificate for signer in signed_by)

    def _text(self, name: str) -> bytes:
        text = _read(self._apk, name, self._budget)
        self._budget -= len(text)
        return text

    def _manifest(self) -> _Manifest:
        """The manifest; every entry it names exists, once."""
        text = self._text(MANIFEST)
        parsed = sections(text)
        main = next(parsed, Section(0, 0, {}))
        entries: dict[str, Section] = {}
        for number, section in enumerate(parsed, 1):
            name = section.name
            if name is None:
                raise SignatureProblem("jar-sig.unnamed-manifest-section", str(number))
            if name in entries:
                raise SignatureProblem("jar-sig.duplicate-manifest-section", name)
            if name not in self._apk.entries or name.endswith("/"):
                raise SignatureProblem("jar-sig.missing-zip-entry-referenced-in-manifest", name)
            entries[name] = section
        return _Manifest(text, main, entries)

    # ---- block against signature file --------------------------------------------------------------------------------

    def _signers(self) -> list[_Signer]:
        """Every block with its signature file, verified. One that does not verify spoils all, as on Android."""
        pairs = []
        for block in _blocks(self._apk):
            file = block.rpartition(".")[0] + ".SF"
            if file in self._apk.entries:
                pairs.append((block, file))
            else:
                self._warnings.append(f"jar-sig.missing-file {block}")
        if not pairs:
            raise SignatureProblem("jar-sig.no-signatures")
        if len(pairs) > _SIGNERS:
            raise SignatureProblem("jar-sig.max-signatures-exceeded", str(len(pairs)))
        signers = []
        for block, file in pairs:
            text = self._text(file)
            certificate = verify_detached(_signed_data(self._apk, block), text, self._low, self._high)
            signers.append(_Signer(block, file, text, certificate))
        return signers

    # ---- signature file against manifest -----------------------------------------------------------------------------

    def _check_signature_file(self, signer: _Signer, manifest: _Manifest) -> frozenset[str]:
        """The names of the entries that it signs. Raises SignatureProblem or _Ignored."""
        parsed = sections(signer.text)
        main = next(parsed, Section(0, 0, {}))
        if main.get("Signature-Version") is None:
            raise _Ignored(f"jar-sig.missing-version-attr-in-sig-file {signer.file}")
        if self._high >= NOUGAT:
            self._check_stripping(main, signer.file)
        by_signtool = "signtool" in (main.get("Created-By") or "")
        whole = self._whole_manifest_holds(main, manifest, by_signtool, signer.file)
        if not by_signtool:
            self._check_main_section(main, manifest, signer.file)
        names: set[str] = set()
        for number, section in enumerate(parsed, 1):
            name = section.name
            if name is None:
                raise _Ignored(f"jar-sig.unnamed-sig-file-section {signer.file} {number}")
            if name in names:
                raise _Ignored(f"jar-sig.duplicate-sig-file-section {signer.file} {name}")
            if len(names) > len(self._apk.entries) + 1000:
                raise _Ignored(f"jar-sig.malformed-sig-file {signer.file}")
            names.add(name)
            if not whole:
                self._check_section(section, manifest, by_signtool, signer.file)
        return frozenset(names)

    def _named(self, section: Section, suffix: str) -> Sequence[Named]:
        return named_digests(section, suffix, self._low, self._high)

    def _whole_manifest_holds(self, main: Section, manifest: _Manifest, by_signtool: bool, file: str) -> bool:  # noqa: FBT001
        named = self._named(main, "-Digest" if by_signtool else "-Digest-Manifest")
        if not named:
            self._warnings.append(f"jar-sig.no-manifest-digest-in-sig-file {file}")
            return False
        if not verified(named, manifest.text):
            self._warnings.append(f"jar-sig.zip-entry-digest-did-not-verify {MANIFEST}")
            return False
        return True

    def _check_main_section(self, main: Section, manifest: _Manifest, file: str) -> None:
        named = self._named(main, "-Digest-Manifest-Main-Attributes")
        if not verified(named, manifest.text[manifest.main.start : manifest.main.end]):
            raise SignatureProblem("jar-sig.manifest-main-section-digest-did-not-verify", file)

    def _check_section(self, section: Section, manifest: _Manifest, by_signtool: bool, file: str) -> None:  # noqa: FBT001
        """Where the whole manifest is not what was signed, each section that the signature file names must be."""
        name = section.name or ""
        in_manifest = manifest.entries.get(name)
        if in_manifest is None:
            raise _Ignored(f"jar-sig.no-zip-entry-digest-in-sig-file {file} {name}")
        named = self._named(section, "-Digest")
        if not named:
            raise SignatureProblem("jar-sig.no-zip-entry-digest-in-sig-file", f"{file} {name}")
        text = manifest.text[in_manifest.start : in_manifest.end]
        # That tool left the empty line out.
        if by_signtool and text.endswith(b"\n\n"):
            text = text[:-1]
        if not verified(named, text):
            raise SignatureProblem("jar-sig.manifest-section-digest-did-not-verify", f"{file} {name}")

    def _check_stripping(self, main: Section, file: str) -> None:
        """The signature file says which newer schemes there were: one that is known and gone was taken away."""
        schemes = main.get("X-Android-APK-Signed")
        if schemes is None:
            if self._found:
                self._warnings.append(f"jar-sig.no-apk-sig-strip-protection {file}")
            return
        known = {2, 3} if self._high >= PIE else {2}
        for text in schemes.split(","):
            number = text.strip()
            if not number.isdecimal() or len(number) > 9:
                continue
            if int(number) not in known:
                self._warnings.append(f"jar-sig.unknown-apk-sig-scheme-id {file} {int(number)}")
            elif int(number) not in self._found:
                raise SignatureProblem("jar-sig.missing-apk-sig-referenced", f"{file} v{int(number)}")

    # ---- manifest against entries ------------------------------------------------------------------------------------

    def _check_entries(self, manifest: _Manifest, signers: Sequence[_Signer]) -> Sequence[_Signer]:
        """Who signed every entry. Names first, as they cost nothing; bytes after."""
        names = [name for name in self._apk.entries if not name.startswith(_META_INF) and not name.endswith("/")]
        if not names:
            raise SignatureProblem("jar-sig.no-signed-zip-entries")
        signed_by: list[_Signer] | None = None
        expected: dict[str, Sequence[Named]] = {}
        for name in names:
            section = manifest.entries.get(name)
            expected[name] = self._named(section, "-Digest") if section else ()
            if not expected[name]:
                raise SignatureProblem("jar-sig.no-zip-entry-digest-in-manifest", name)
            by = [signer for signer in signers if name in signer.names]
            if not by:
                raise SignatureProblem("jar-sig.zip-entry-not-signed", name)
            if signed_by is not None and by != signed_by:
                raise SignatureProblem("jar-sig.zip-entry-signers-mismatch", name)
            signed_by = by
        for name in sorted(names, key=lambda name: self._apk.entries[name].header):
            if actual_digests(self._apk, name, expected[name]) != [value for _, value in expected[name]]:
                raise SignatureProblem("jar-sig.zip-entry-digest-did-not-verify", name)
        return signed_by or ()

    def _note_uncovered(self, signers: Sequence[_Signer]) -> None:
        covered = {MANIFEST, *(signer.block for signer in signers), *(signer.file for signer in signers)}
        free = [
            name
            for name in self._apk.entries
            if name.startswith(_META_INF) and not name.endswith("/") and name not in covered
        ]
        self._warnings += [f"jar-sig.unprotected-zip-entry {name}" for name in free[:_LISTED]]
        if len(free) > _LISTED:
            self._warnings.append(f"jar-sig.unprotected-zip-entry {len(free) - _LISTED} more")
