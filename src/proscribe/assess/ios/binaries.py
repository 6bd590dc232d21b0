"""Every Mach-O file of a package: libraries, watched imports, signature and entitlements. Evidence up to E2.

What FairPlay hides: of an executable whose ``cryptid`` is not 0 the code is encrypted, and with it strings, selectors
and call sites. The load commands, imported symbols, libraries, the signature with its entitlements, and all property
lists stay in the clear and are read in full. Call sites are not read of any app: see ``imports``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from proscribe.assess.facts import Entitlement, MachO, Run
from proscribe.assess.intake.container import UnreadableMember
from proscribe.assess.ios.bundles import PROCESSES, Bundle, BundleKind, Survey, begins
from proscribe.assess.ios.codesign import FAILURES, Signature, read_signature
from proscribe.assess.ios.image import DSYM, MAGICS, Budget, Image, images, wanted
from proscribe.assess.ios.imports import imports
from proscribe.assess.ios.plists import as_json
from proscribe.assess.ios.window import open_window
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch

MAX_FILES = 500
MAX_BYTES = 1 << 30  # of all Mach-O files together
MAX_LIBRARIES = 2000  # of one architecture


_NEED_CODE = PROCESSES | {BundleKind.framework}


@dataclass(slots=True)
class Binaries:
    """What all Mach-O files hold. ``team_id``: of the app's own executable; ``unread``: its name, if not read."""

    slices: list[MachO] = field(default_factory=list)
    entitlements: set[Entitlement] = field(default_factory=set)
    team_id: str = ""
    unread: str = ""

    def runs(self) -> Iterator[Run]:
        """That the app's own executable was not read, or that encryption hides code, where that is so."""
        if self.unread and self.slices:  # where nothing was read, that is said already
            yield Run(FactClass.macho, "macho-main", Extent.failed, 0, 1, "macho.main-unread", self.unread)
        encrypted = [slice_ for slice_ in self.slices if slice_.encrypted]
        if encrypted:
            yield Run(
                of=FactClass.macho,
                reader="macho-code",
                extent=Extent.hidden,
                read=len(self.slices) - len(encrypted),
                total=len(self.slices),
                problem="macho.encrypted",
                detail=" ".join(sorted({slice_.member for slice_ in encrypted})[:8]),
            )


def read_binaries(survey: Survey, bundles: list[Bundle], watch: Watch) -> Binaries:
    """Read every member of the app that begins as a Mach-O file does, whatever it is called, and what should be one."""
    reader = _Reader(survey, {bundle.executable: bundle for bundle in bundles if bundle.executable}, watch)
    inside = {name for name in survey.container.entries if name.startswith(bundles[0].root)}
    names = {
        name
        for name in inside
        if name in reader.owners or name.endswith(".dylib") or begins(survey.container, name) in MAGICS
    }
    # The executables first: they must not fall to a limit that a pile of other files has used up.
    for name in sorted(names, key=lambda name: (name != bundles[0].executable, name not in reader.owners, name)):
        if not reader.affords(name):
            break
        reader.read(name)
    _missing(survey, bundles, names)
    main = bundles[0].executable or bundles[0].plist
    if not any(slice_.member == survey.container.member(main) for slice_ in reader.found.slices):
        reader.found.unread = survey.container.member(main)
    reader.found.slices.sort(key=lambda slice_: (slice_.member, slice_.architecture))
    return reader.found


def _missing(survey: Survey, bundles: list[Bundle], names: set[str]) -> None:
    """Bundles that should have code, and whose code is not there."""
    for bundle in bundles:
        if bundle.kind in _NEED_CODE and bundle.info and bundle.executable not in names:
            name = bundle.executable or bundle.plist
            survey.attempt(FactClass.macho, name)
            survey.fail(FactClass.macho, "macho.absent", name)
    if not names and FactClass.macho not in survey.failed:
        survey.attempt(FactClass.macho, bundles[0].plist)
        survey.fail(FactClass.macho, "macho.absent", bundles[0].plist)


class _Reader:
    """One package's Mach-O files, within what they may cost together."""

    def __init__(self, survey: Survey, owners: dict[str, Bundle], watch: Watch) -> None:
        self.survey = survey
        self.owners = owners
        self.watched = {name.encode(): name for name in watch.macho}
        self.budget = Budget()
        self.left = MAX_BYTES
        self.found = Binaries()

    def affords(self, name: str) -> bool:
        """Count a file; False, and a failure, where it is one too many."""
        self.survey.attempt(FactClass.macho, name)
        self.left -= self.survey.container.entries[name].size
        if self.left >= 0 and len(self.survey.tried[FactClass.macho]) <= MAX_FILES:
            return True
        self.survey.fail(FactClass.macho, "macho.too-many-files" if self.left >= 0 else "macho.too-many-bytes", name)
        return False

    def read(self, name: str) -> None:
        """Take the facts of every architecture of a file; a failure where it cannot be read."""
        container = self.survey.container
        try:
            window = open_window(container, name, wanted)
        except UnreadableMember as error:
            self.survey.fail(FactClass.macho, error.code, name, error.detail)
            self.found.slices.append(
                MachO(
                    container.member(name),
                    self.survey.digest(name),
                    architecture="",
                    encrypted=False,
                    problem=error.code,
                )
            )
            return
        for image in images(window):
            if image.kind != DSYM:
                self._slice(image, name)

    def _slice(self, image: Image, name: str) -> None:
        """One architecture's facts."""
        signature = read_signature(image, self.budget)
        names = imports(image, self.budget)
        if image.problem:
            self.survey.fail(FactClass.macho, image.problem, name, image.detail)
        first = signature.directories[0] if signature.directories else None
        self.found.slices.append(
            MachO(
                member=self.survey.container.member(name),
                sha256=self.survey.digest(name),
                architecture=image.architecture,
                encrypted=image.encrypted,
                libraries=tuple(image.libraries[:MAX_LIBRARIES]),
                imports=tuple(sorted(self.watched[name] for name in names & self.watched.keys())),
                import_count=len(names),
                team_id=first.team_id if first else "",
                identifier=first.identifier if first else "",
                signed=signature.cms,
                problem=image.problem,
                signature=signature.kind,
            )
        )
        self._signature(signature, name)

    def _signature(self, signature: Signature, name: str) -> None:
        survey, member = self.survey, self.survey.container.member(name)
        if signature.kind or signature.problems or signature.section is not None:
            survey.attempt(FactClass.entitlements, name)
        for code, detail in signature.problems:
            if code in FAILURES:
                survey.fail(FactClass.entitlements, code, name, detail)
            else:
                survey.odd(code, name, detail)
        for source, entitlements in signature.forms():
            self.found.entitlements.update(
                Entitlement(key, as_json(value), source, member) for key, value in entitlements.items()
            )
        owner = self.owners.get(name)
        if owner is None:
            return
        if owner.kind is BundleKind.app and signature.directories:
            self.found.team_id = signature.directories[0].team_id
        if owner.raw and not signature.seals_info(owner.raw):
            survey.odd("codesign.info-plist-not-sealed", owner.plist)
