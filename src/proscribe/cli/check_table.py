"""``proscribe check`` on a terminal: what could not be seen first, then violations, then look-alikes, then the verdict.

Fits 60 columns. Meaning never hangs on colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from proscribe.cli.output import console, print_table
from proscribe.evaluate.check import lookalikes, violations
from proscribe.evaluate.labels import ENROLMENT, FORCE, MATCH, PLATFORM, STATE, VERDICT, count, department
from proscribe.evaluate.model import DirectiveCheck, GroupCount, Unseen
from proscribe.text import Text, plural

if TYPE_CHECKING:
    from proscribe.evaluate.model import CheckReport, Finding, ProductCount
    from proscribe.evaluate.result import Evaluated

BY_IDENTIFIER = Text("By id", "Identifiant")
BY_NAME = Text("Name only", "Nom seul")
IN_SCOPE = Text("In scope", "Visés")


def show(report: CheckReport, evaluated: Evaluated, *, details: bool, limit: int) -> None:
    """Print the report. ``limit`` is the number of rows of each list; ``details`` lists devices."""
    _say(summary_line(report))
    _unseen(report, limit)
    _violations(report, limit)
    if details:
        _findings(Text("Devices with violations", "Appareils en infraction"), violations(evaluated), limit)
    _lookalikes(report, limit)
    if details:
        title = Text("Devices with look-alikes", "Appareils comportant des sosies")
        _findings(title, lookalikes(evaluated), limit)
    _say("")
    _say(verdict_line(report), style="bold")


def summary_line(report: CheckReport) -> str:
    """What was read."""
    devices, files = count(report.devices), count(len(report.sources))
    installs, apps = count(report.installs_seen), count(report.apps_seen)
    return str(
        Text(
            f"Devices read: {devices}. Files: {files}. Installed apps: {installs}, distinct: {apps}.",
            f"Appareils lus : {devices}. Fichiers : {files}. Applications installées : {installs} "
            f"(distinctes : {apps}).",
        )
    )


EACH_LINE = Text(
    "Devices, each under every line that is true of it:", "Appareils, chacun sous chaque ligne qui le concerne :"
)


def verdict_line(report: CheckReport) -> str:
    """The verdict, in words that claim no more than was seen."""
    parts = [VERDICT[report.verdict]]
    directives = [check for check in report.directives if check.violations]
    if directives:
        hit, of = len(directives), len(report.directives)
        parts.append(Text(f"Directives with violations: {hit} of {of}.", f"Directives enfreintes : {hit} sur {of}."))
        if not any(group.by_identifier for check in directives for group in check.groups):
            parts.append(Text("By name only: have them confirmed.", "D'après le nom seulement : à faire confirmer."))
    if report.unseen.unreadable_files or report.unseen.incomplete_files:
        parts.append(
            Text(
                "Not every file could be read to its end, so there may be more.",
                "Tous les fichiers n'ont pas pu être lus jusqu'à la fin; il peut donc y en avoir d'autres.",
            )
        )
    return " ".join(map(str, parts))


def unseen_devices(unseen: Unseen) -> list[tuple[str, str]]:
    """Devices that could not be seen whole: how many, and in what way; only where there is something to say."""
    ways = (
        (
            unseen.invisible,
            Text("with a part out of sight by design", "dont une partie est invisible, par choix de conception"),
        ),
        (unseen.no_list, Text("without an app list", "sans liste d'applications")),
        (
            unseen.extent_unknown,
            Text("whose source does not say what it lists", "dont la source ne dit pas ce qu'elle énumère"),
        ),
        (
            unseen.stale,
            Text(
                "with a list too old, or dated in the future",
                "dont la liste est trop ancienne ou porte une date future",
            ),
        ),
        (
            unseen.before_ban,
            Text("with a list older than a directive", "dont la liste est antérieure à une directive"),
        ),
        (unseen.undated, Text("with a list that bears no date", "dont la liste n'est pas datée")),
        (
            unseen.names_only,
            Text("with app names only, no identifiers", "avec des noms seulement, sans identifiants"),
        ),
    )
    return [(count(number), str(way)) for number, way in ways if number]


def unseen_input(unseen: Unseen) -> list[str]:
    """Input that was lost: rows and files."""
    lines = []
    if unseen.bad_rows:
        rows = count(unseen.bad_rows)
        lines.append(
            Text(
                f"Rows that could not be used: {rows} (--problems FILE lists them)",
                f"Lignes inutilisables : {rows} (--problems FICHIER les énumère)",
            )
        )
    lines += [
        Text(
            f"Not read at all: {name} (--problems FILE says why)",
            f"Fichier illisible : {name} (--problems FICHIER dit pourquoi)",
        )
        for name in unseen.unreadable_files
    ]
    lines += [
        Text(f"Breaks off, its beginning is counted: {name}", f"Fichier interrompu, son début est compté : {name}")
        for name in unseen.incomplete_files
    ]
    return [str(line) for line in lines]


def directive_line(check: DirectiveCheck) -> str:
    """A directive in one line: id, title, force, state."""
    terms = f"{FORCE[check.force]}, {STATE[check.state]}"
    return f"{check.directive}: {check.title} ({terms})" if str(check.title) else check.directive


def notes(check: DirectiveCheck) -> Iterator[str]:
    """What must be known to read a directive's counts."""
    if check.scope_unsure:
        number = count(check.scope_unsure)
        yield str(
            Text(
                f"Devices counted as in scope because their source does not say: {number}.",
                f"Appareils comptés comme visés parce que leur source ne le précise pas : {number}.",
            )
        )
    if check.out_of_scope:
        number = count(check.out_of_scope)
        yield str(
            Text(
                f"Devices outside the scope that hold a banned app all the same: {number}.",
                f"Appareils non visés où se trouve malgré tout une application interdite : {number}.",
            )
        )
    if not check.reviewed:
        yield str(
            Text(
                "The list of identifiers has not been reviewed by a person.",
                "La liste d'identifiants n'a été examinée par personne.",
            )
        )


def worst_first(groups: Iterable[GroupCount]) -> list[GroupCount]:
    """Groups with violations, the largest first."""
    found = [group for group in groups if group.by_identifier or group.by_name]
    return sorted(found, key=lambda one: (-one.by_identifier - one.by_name, one.department, one.platform))


def _unseen(report: CheckReport, limit: int) -> None:
    _title(Text("What could not be seen", "Ce qui n'a pas pu être vu"))
    devices, lost = unseen_devices(report.unseen), unseen_input(report.unseen)
    if devices:
        _say(str(EACH_LINE))
    elif not lost:
        _say(str(Text("Nothing: every list is whole and dated.", "Rien : chaque liste est entière et datée.")))
    width = max((len(number) for number, _ in devices), default=0)
    for number, way in devices:
        _say(f"  {number:>{width}}  {way}")
    for line in lost:
        _say(line)
    gaps = sorted((gap for gap in report.gaps if not gap.directive), key=lambda gap: -gap.devices)
    if gaps:
        headers = (
            str(Text("Source and devices", "Source et appareils")),
            str(Text("Why", "Pourquoi")),
            str(Text("Devices", "Appareils")),
        )
        rows = [
            (f"{gap.system}, {PLATFORM[gap.platform]}, {ENROLMENT[gap.enrolment]}", gap.reason, count(gap.devices))
            for gap in gaps[:limit]
        ]
        print_table("", headers, rows, numeric=1)
        _more(len(gaps) - limit)


def _violations(report: CheckReport, limit: int) -> None:
    _title(Text("Violations", "Infractions"))
    headers = tuple(str(text) for text in (Text("Directive", "Directive"), IN_SCOPE, BY_IDENTIFIER, BY_NAME))
    rows = []
    for check in report.directives:
        sure = sum(group.by_identifier for group in check.groups)
        rows.append((check.directive, count(check.devices), count(sure), count(check.violations - sure)))
    print_table("", headers, rows, numeric=3)
    told: dict[tuple[object, ...], str] = {}
    for check in report.directives:
        if not (check.violations or check.out_of_scope):
            continue
        _say("")
        _say(directive_line(check), style="bold")
        # Half the world bans the same app: the same table eleven times over would hide the rest.
        key = (check.products, check.groups, check.out_of_scope, check.scope_unsure, check.reviewed)
        if key in told:
            _say(str(Text(f"The same counts as under {told[key]}.", f"Mêmes nombres que pour {told[key]}.")))
            continue
        told[key] = check.directive
        _counts(check, limit)


def _counts(check: DirectiveCheck, limit: int) -> None:
    """Products, departments and notes of one directive."""
    held = [row for row in check.products if row.by_identifier or row.by_name]
    if held:
        listed = ", ".join(_held(row) for row in held[: max(limit, 1)])
        _say(str(Text(f"Devices by app: {listed}", f"Appareils par application\u00a0: {listed}")))
    groups = worst_first(check.groups)
    if groups:
        words = (Text("Department", "Direction"), Text("Platform", "Plateforme"), BY_IDENTIFIER, BY_NAME, IN_SCOPE)
        print_table("", [str(word) for word in words], [_group_row(group) for group in groups[:limit]], numeric=3)
        _more(len(groups) - limit)
    for note in notes(check):
        _say(note)


def _held(row: ProductCount) -> str:
    """An app and its devices. What was seen by its identifier and what bears its name only are never added up."""
    sure = f"{row.label} {count(row.by_identifier)}"
    if not row.by_name:
        return sure
    named = count(row.by_name)
    return sure + str(Text(f" (+ {named} by name only)", f" (+ {named} d'après le nom seulement)"))


def _group_row(group: GroupCount) -> Sequence[object]:
    return (
        department(group.department),
        PLATFORM[group.platform],
        count(group.by_identifier),
        count(group.by_name),
        count(group.devices),
    )


def _lookalikes(report: CheckReport, limit: int) -> None:
    rows = [
        (check.directive, product.label, count(product.lookalike))
        for check in report.directives
        for product in check.products
        if product.lookalike
    ]
    if not rows:
        return
    _title(
        Text("Look-alikes: to be looked into, not violations", "Sosies : à examiner, ce ne sont pas des infractions")
    )
    headers = (Text("Directive", "Directive"), Text("Looks like", "Ressemble à"), Text("Devices", "Appareils"))
    print_table("", [str(header) for header in headers], rows[:limit], numeric=1)
    _more(len(rows) - limit)


def _findings(title: Text, found: Iterator[Finding], limit: int) -> None:
    shown = list(islice(found, limit))
    if not shown:
        return
    _say("")
    headers = (
        Text("Device", "Appareil"),
        Text("App", "Application"),
        Text("Found by", "Trouvée d'après"),
        Text("Directive", "Directive"),
    )
    rows = [
        (one.device, one.app_name if not one.app_id else one.app_id, MATCH[one.match], one.directive) for one in shown
    ]
    print_table(str(title), [str(header) for header in headers], rows)
    if next(found, None) is not None:
        _say(str(Text("More: see --limit, --csv or --json.", "Suite : voir --limit, --csv ou --json.")))


def _more(number: int) -> None:
    if number > 0:
        _say(
            str(
                Text("... and ", "... et ")
                + plural(number, Text("more row", "autre ligne"), Text("more rows", "autres lignes"))
                + Text(" (--limit)", " (--limit)")
            )
        )


def _title(text: Text) -> None:
    _say("")
    _say(str(text).upper(), style="bold")


def _say(line: str, style: str = "") -> None:
    from textwrap import wrap  # rich would break a line at the no-break spaces of French

    from rich.text import Text as Line  # rich would read brackets in names as its own markup

    out = console()
    for part in wrap(line, out.width, break_long_words=False, break_on_hyphens=False) or [""]:
        out.print(Line(part, style=style))
