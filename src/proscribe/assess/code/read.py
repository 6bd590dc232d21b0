"""Code evidence of a package: all dex files as one program, then its native libraries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from proscribe.assess.code.elf import read_libraries
from proscribe.assess.code.members import inspect
from proscribe.assess.code.packing import hidden, marks
from proscribe.assess.code.program import Place, Program, read_program
from proscribe.assess.code.targets import Targets
from proscribe.assess.facts import CodeFacts, PackageCount, Reading, Run
from proscribe.assess.intake.container import Container
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch


def read(apks: Sequence[Container], watch: Watch, declared: Collection[str]) -> Reading[CodeFacts]:
    """See ``proscribe.assess.code.read_code``."""
    loaded = [(at, name) for at, apk in enumerate(apks) for name in loaded_by_android(apk)]
    members = inspect(apks, frozenset(loaded))
    places = [Place(apks[at], name) for at, name in loaded] + members.elsewhere
    with ThreadPoolExecutor(1) as aside:
        libraries = aside.submit(read_libraries, members.libraries, watch.native)
        program = read_program(places, Targets.of(watch))
        native, native_run = libraries.result()
    facts = CodeFacts(
        dex=tuple(program.files),
        native=native,
        sites=tuple(program.sites),
        hosts=program.host_list(),
        packages=tuple(PackageCount(name, count) for name, count in sorted(program.packages.items())),
        reflection=program.reflection,
        code_units=program.code_units,
        packer_marks=marks(program, members, declared),
        encrypted_like=tuple(sorted([*members.noise, *hidden(program, members)])),
    )
    return Reading(facts, (_dex_run(program), native_run), (*program.anomalies, *members.anomalies))


def loaded_by_android(apk: Container) -> list[str]:
    """classes.dex, classes2.dex, ... as far as the numbers go on without a gap."""
    names: list[str] = []
    while (name := f"classes{len(names) + 1 if names else ''}.dex") in apk.entries:
        names.append(name)
    return names


def _dex_run(program: Program) -> Run:
    total = len(program.files)
    sound = [file for file in program.files if not file.problem]
    unread = [file for file in program.files if file.problem and not file.version]
    problem = next((file.problem for file in program.files if file.problem), min(program.faults, default=""))
    detail = ", ".join(f"{code} {count}" for code, count in sorted(program.faults.items()))
    if not total:
        extent = Extent.absent
    elif len(unread) == total:
        extent = Extent.failed
    else:
        extent = Extent.partial if problem else Extent.complete
    return Run(FactClass.dex, "dex", extent, len(sound), total, problem, detail)
