"""From the bytes of a package to its facts: opens it and asks every reader in turn. Runs in the worker process."""

from __future__ import annotations

import errno
import mmap
from collections.abc import Sequence
from pathlib import Path

from proscribe.assess.android.reader import read_android
from proscribe.assess.code import read_code
from proscribe.assess.errors import NotAPackage
from proscribe.assess.facts import AndroidFacts, CodeFacts, IosFacts, Reading, Run, SigningFacts
from proscribe.assess.gathered import Gathered
from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.intake.limits import LIMITS
from proscribe.assess.intake.opening import Opened, open_package
from proscribe.assess.libraries import version_of
from proscribe.assess.profile import PackageFormat, Tool
from proscribe.assess.signing.verify import verify_apk
from proscribe.assess.terms import Extent, FactClass, SignatureState
from proscribe.assess.watch import Watch
from proscribe.errors import UnreadableFile, Where
from proscribe.files import reason
from proscribe.terms import Platform
from proscribe.text import Text

_MANIFEST = "AndroidManifest.xml"


def gather(path: Path, watch: Watch) -> Gathered:
    """Everything that can be read from the package at ``path``.

    Raises UnreadableFile, NotAPackage or RefusedPackage; whatever is wrong inside the package is a fact.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            size = stream.tell()
            if size == 0 or size > LIMITS.file:
                raise _no_package(path, size)
            # The mapping outlives the block and is released with the last view of it.
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible\u00a0: {reason(error).fr}"),
            remedy=Text("Check the path and its permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path)),
        ) from error
    return gather_opened(open_package(data, path=str(path.resolve()), file=str(path)), watch)


def gather_opened(opened: Opened, watch: Watch) -> Gathered:
    """The facts of a package that is open already."""
    if opened.package.format is PackageFormat.ipa:
        return _gather_ios(opened, watch)
    return _gather_android(opened, watch)


def _gather_android(opened: Opened, watch: Watch) -> Gathered:
    apks = opened.packages
    android = read_android(apks)
    declared = [component.name for component in android.facts.components] if android.facts else []
    code = read_code(apks, watch, declared=declared)
    signing = tuple(_signing(apk, android.facts) for apk in apks)
    runs = (*opened.runs, *android.runs, *code.runs, *(_signing_run(facts) for facts in signing))
    return Gathered(
        platform=Platform.android,
        package=opened.package,
        android=android.facts,
        ios=None,
        signing=signing,
        code=code.facts or CodeFacts(),
        runs=runs,
        anomalies=(*opened.anomalies, *android.anomalies, *code.anomalies),
        digests=_digests(apks, android),
        tools=_tools("apk-info", "cryptography", "numpy"),
    )


def _gather_ios(opened: Opened, watch: Watch) -> Gathered:
    from proscribe.assess.ios.read import read_ios  # few packages need it, and every start would pay

    reading: Reading[IosFacts] = read_ios(opened.packages[0], watch)
    return Gathered(
        platform=Platform.ios,
        package=opened.package,
        android=None,
        ios=reading.facts,
        signing=(),
        code=CodeFacts(),
        runs=(*opened.runs, *reading.runs),
        anomalies=(*opened.anomalies, *reading.anomalies),
        digests=opened.packages[0].digests(),
        tools=_tools(),
    )


def _signing(apk: Container, facts: AndroidFacts | None) -> SigningFacts:
    if facts is None:
        return verify_apk(apk)
    return verify_apk(apk, min_sdk=facts.min_sdk, target_sdk=facts.target_sdk, target_sandbox=facts.target_sandbox)


def _signing_run(facts: SigningFacts) -> Run:
    """Completeness of the signature: what no version of Android that the app runs on looks at is not missing."""
    problem = next((result.problem for result in facts.schemes if result.state is SignatureState.failed), "")
    checked = sum(result.state is not SignatureState.not_checked for result in facts.schemes)
    return Run(FactClass.signature, "signing", Extent.complete, checked, checked, problem, facts.member)


def _digests(apks: Sequence[Container], android: Reading[AndroidFacts]) -> dict[str, str]:
    """Digests of every member that a fact names; code readers have computed theirs already."""
    named = {_MANIFEST}
    facts = android.facts
    if facts is not None:
        named |= {special.resource for special in facts.special if special.resource}
        if facts.network is not None and facts.network.resource:
            named.add(facts.network.resource)
    found: dict[str, str] = {}
    for apk in apks:
        for name in apk.entries.keys() & {member.rsplit("!", 1)[-1] for member in named}:
            try:
                apk.sha256(name)
            except UnreadableMember:
                continue  # the reader that wanted it has said why
        found |= apk.digests()
    return found


def _tools(*packages: str) -> tuple[Tool, ...]:
    return tuple(Tool(name, version_of(name)) for name in ("proscribe", *packages))


def _no_package(path: Path, size: int) -> NotAPackage:
    return NotAPackage(
        Text("an empty file", "un fichier vide")
        if size == 0
        else Text(f"{size} bytes is more than any package has", f"{size} octets, c'est plus que tout paquet"),
        remedy=Text(
            "Give an .apk, .xapk, .apks, .apkm or .ipa file.",
            "Fournissez un fichier .apk, .xapk, .apks, .apkm ou .ipa.",
        ),
        where=Where(file=str(path)),
    )
