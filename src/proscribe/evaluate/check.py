"""The report of ``proscribe check``: an evaluation told in the order in which it may be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.evaluate.model import CheckReport, DirectiveCheck, Finding, Unseen, Verdict
from proscribe.evaluate.result import Evaluated
from proscribe.evaluate.standing import Doubt
from proscribe.inventory.model import Snapshot

_STALE = (Doubt.old, Doubt.future)
_NOTHING = Unseen(0, 0, 0, 0, 0, 0, 0, 0, (), ())


def report(
    snapshot: Snapshot,
    bans: Sequence[tuple[Directive, TargetSet]],
    evaluated: Evaluated,
    *,
    files: Sequence[str] = (),
    with_findings: bool = True,
) -> CheckReport:
    """Build the report. ``files`` are the names of the exports that were given, so that one which left no trace is
    named. ``with_findings=False`` leaves the two lists of findings empty, for callers that stream them
    (:func:`violations`, :func:`lookalikes`): a fleet can have millions."""
    manifest = snapshot.manifest
    unseen = _unseen(snapshot, evaluated, files)
    directives = tuple(_directive(directive, targets, evaluated) for directive, targets in bans)
    summary = evaluated.summary
    return CheckReport(
        checked_at=summary.evaluated_at,
        verdict=_verdict(manifest.devices, directives, unseen),
        snapshot=snapshot.digest,
        sources=manifest.sources,
        devices=manifest.devices,
        duplicate_devices=manifest.duplicate_devices,
        apps_seen=manifest.apps_seen,
        installs_seen=manifest.installs_seen,
        unseen=unseen,
        gaps=summary.gaps,
        coverage=manifest.coverage,
        problems_total=manifest.problems_total,
        problems=manifest.problems,
        directives=directives,
        violations=tuple(violations(evaluated)) if with_findings else (),
        lookalikes=tuple(lookalikes(evaluated)) if with_findings else (),
    )


def violations(evaluated: Evaluated) -> Iterator[Finding]:
    """The findings that are the banned app itself."""
    return (finding for finding in evaluated.findings() if finding.match.is_violation)


def lookalikes(evaluated: Evaluated) -> Iterator[Finding]:
    """The findings that only resemble it, to be looked into by a person."""
    return (finding for finding in evaluated.findings() if not finding.match.is_violation)


def _verdict(devices: int, directives: Sequence[DirectiveCheck], unseen: Unseen) -> Verdict:
    if devices == 0:
        return Verdict.nothing_read
    if any(check.violations for check in directives):
        return Verdict.violations
    elsewhere = any(check.out_of_scope for check in directives) or not any(check.devices for check in directives)
    return Verdict.clean if unseen == _NOTHING and not elsewhere else Verdict.none_seen


def _unseen(snapshot: Snapshot, evaluated: Evaluated, files: Sequence[str]) -> Unseen:
    doubts = evaluated.doubts()
    sources = snapshot.manifest.sources
    whole_files = {problem.file for problem in snapshot.manifest.problems if problem.row == 0}
    opened = {source.name for source in sources}
    never_opened = [name for name in files if name in whole_files - opened]
    return Unseen(
        no_list=doubts.get(Doubt.no_list, 0),
        extent_unknown=doubts.get(Doubt.extent_unknown, 0),
        stale=sum(doubts.get(doubt, 0) for doubt in _STALE),
        before_ban=evaluated.before_ban(),
        invisible=evaluated.invisible(),
        undated=evaluated.undated(),
        names_only=evaluated.names_only(),
        bad_rows=sum(source.bad_rows for source in sources),
        unreadable_files=(
            *never_opened,
            *(source.name for source in sources if not source.complete and not source.rows),
        ),
        incomplete_files=tuple(source.name for source in sources if not source.complete and source.rows),
    )


def _directive(directive: Directive, targets: TargetSet, evaluated: Evaluated) -> DirectiveCheck:
    name = directive.id
    whole = next(row for row in evaluated.summary.presences if (row.directive, row.department) == (name, ""))
    return DirectiveCheck(
        directive=name,
        version=directive.version,
        title=directive.title,
        state=directive.state,
        force=directive.force,
        effective=directive.effective,
        digest=evaluated.summary.directives[name],
        target_set=digest(targets),
        reviewed=bool(targets.reviewed_by),
        targets=len(targets.targets),
        devices=whole.devices,
        violations=evaluated.summary.violations[name],
        lookalikes=evaluated.lookalike_devices(name),
        by_presence=whole.by_presence,
        groups=evaluated.groups(name),
        products=evaluated.products(name),
        scope_unsure=evaluated.scope_unsure(name),
        out_of_scope=evaluated.out_of_scope(name),
    )
