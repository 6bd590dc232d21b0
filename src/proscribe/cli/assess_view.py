"""An assessment on a terminal: the rating, what could not be seen, the access map, who does it, where, what next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.makers import alarms, exposure_line, is_lookalike, match_lines, signer_line
from proscribe.assess.emit.reading import (
    LIBRARIES,
    LIBRARY,
    actor_name,
    actor_names,
    actors_of,
    completeness,
    extent_of,
    findings_by_actor,
    is_library,
    joined,
    not_seen,
    reach,
    reach_line,
    readable,
    rung_of,
    sentence,
    suppressed_findings,
    telling,
    title_line,
)
from proscribe.assess.emit.words import (
    AREAS,
    DECLARATIONS,
    EVIDENCE,
    EXTENTS,
    FACT_CLASSES,
    GRANTS,
    RATINGS,
    RUNGS,
    SCALE,
    SHORT_GRANTS,
    SHORT_RUNGS,
)
from proscribe.assess.model import Assessment
from proscribe.assess.profile import AreaAccess, Evidence, Finding, PermissionView, SdkPresence
from proscribe.assess.terms import CONTENT_AREAS, Ladder, Rating
from proscribe.cli.assess_paper import Paper
from proscribe.text import COLON, Text, plural

MOST_ACTORS = 6
"""Actors that are named when nobody asks for all of them."""
WIDE_ENOUGH = 76
"""Columns from which the access map also says whose code it is."""


def show(assessment: Assessment, *, details: bool, path: Path) -> None:
    """Print the assessment; with ``details`` every finding, permission, SDK and host."""
    paper = Paper()
    paper.line(sentence(assessment), bold=True)
    paper.line(title_line(assessment))
    _rating(paper, assessment)
    paper.title(Text("What could not be seen", "Ce qui n'a pas pu être vu"))
    paper.bullets(not_seen(assessment))
    _map(paper, assessment)
    _actors(paper, assessment, None if details else MOST_ACTORS)
    _telling(paper, assessment)
    if details:
        _details(paper, assessment)
    _exposure(paper, assessment)
    _next(paper, assessment, path, details=details)


def _rating(paper: Paper, assessment: Assessment) -> None:
    """The word on its scale, then the rule and its reasons."""
    rating = assessment.rating
    steps = [f"[{RATINGS[one]!s}]".upper() if one is rating.rating else str(RATINGS[one]) for one in SCALE]
    scale = "  ".join(steps)
    if rating.rating is Rating.inconclusive:
        scale = f"[{RATINGS[rating.rating]!s}]".upper() + f"  ({'  '.join(steps)})"
    paper.line()
    paper.line(f"{Text('Access', 'Accès')}{COLON}  {scale}")
    paper.bullets(alarms(assessment))
    rule = visible(rating.rule, 80)
    paper.title(Text(f"Why (rule {rule})", f"Pourquoi (règle {rule})"))
    paper.bullets(rating.because or (Text("No rule above it fired.", "Aucune règle supérieure ne s'applique."),))


def _map(paper: Paper, assessment: Assessment) -> None:
    paper.title(Text("What it can reach", "Ce qu'elle peut atteindre"))
    paper.line(reach_line(reach(assessment)))
    rows = [_map_row(paper, assessment, row) for row in assessment.access]
    contents = len(CONTENT_AREAS)
    paper.columns(rows[:contents])
    paper.title(Text("How the app behaves", "Comment l'application se comporte"))
    paper.columns(rows[contents:])


def _map_row(paper: Paper, assessment: Assessment, row: AreaAccess) -> list[str]:
    """Area, bars, word, who must agree, whose code; ``without effect`` where it does not count."""
    found = row.ladder is not Ladder.none
    actors = actor_names(actors_of(assessment, row), 2)
    agree = str(SHORT_GRANTS[row.grant]) if found else ""
    if found and not row.counts:
        agree = str(Text("without effect", "sans effet"))
    cells = [
        str(AREAS[row.area]),
        paper.bars(row.ladder),
        f"E{int(row.ladder)} {rung_of(assessment, row, SHORT_RUNGS)}",
        agree,
        str(actors) if found else "",
    ]
    return cells if paper.width >= WIDE_ENOUGH else cells[:-1]


def _actors(paper: Paper, assessment: Assessment, limit: int | None) -> None:
    """Whose code it is, with how many findings each; plain libraries in one line, unless all are asked for."""
    counted = findings_by_actor(assessment)
    silent = [one for one in assessment.sdks if one.operator and one.id not in {actor.sdk for actor, _ in counted}]
    if not counted and not silent:
        return
    one_of, many_of = Text("finding", "constat"), Text("findings", "constats")
    paper.title(Text("Whose code", "Origine du code"))
    libraries = [] if limit is None else [one for one in counted if is_library(one[0])]
    rows: list[list[object]] = [
        [actor_name(actor, full=True), plural(count, one_of, many_of)]
        for actor, count in counted
        if (actor, count) not in libraries
    ]
    present = Text("present, no finding", "présent, aucun constat")
    rows += [[_sdk_name(one), present] for one in sorted(silent, key=lambda one: (-one.classes, one.id))]
    more = 0 if limit is None else len(rows) - limit
    rows = rows[:limit]
    if libraries:
        names = actor_names([actor for actor, _ in libraries], 2)
        total = plural(len(libraries), LIBRARY, LIBRARIES) + COLON + Text(" ", " ") + names
        rows.append([total, plural(sum(count for _, count in libraries), one_of, many_of)])
    paper.columns(rows)
    _more(paper, more)


def _sdk_name(sdk: SdkPresence) -> str:
    vendor = "" if sdk.vendor == sdk.name else sdk.vendor
    known = ", ".join(filter(None, (vendor, sdk.country)))
    return f"{sdk.name} ({known})" if known else sdk.name


def _telling(paper: Paper, assessment: Assessment) -> None:
    """One capability an area, with whose code and one place."""
    found = telling(assessment)
    if not found:
        return
    paper.title(Text("The most telling, one for each area", "Les plus parlants, un par domaine"))
    for one in found:
        paper.line(f"E{int(one.ladder)}  {one.title} – {actor_names(one.actors, 2)}", indent=2, hang=4)
        if one.place is not None:
            paper.line(_short_place(one.place), indent=6, hang=2)


def _more(paper: Paper, count: int) -> None:
    if count > 0:
        paper.line(Text(f"... and {count} more (--details)", f"... et {count} de plus (--details)"), indent=2)


def _short_place(evidence: Evidence) -> str:
    """The place without parameters: ``classes.dex: com.a.B.m +64 → DexClassLoader.<init>``."""
    if evidence.offset < 0:
        return _place(evidence)
    what = readable(evidence.subject, short=True)
    return f"{evidence.member}{COLON} {readable(evidence.caller)} +{evidence.offset} → {what}"


def _place(evidence: Evidence) -> str:
    """Where it stands: the member, the caller with its offset, and what is called there."""
    if evidence.offset < 0:
        return f"{evidence.member}{COLON} {evidence.subject}" if evidence.member else evidence.subject
    return f"{evidence.member}{COLON} {evidence.caller} +{evidence.offset} → {evidence.subject}"


def _details(paper: Paper, assessment: Assessment) -> None:
    """All the rest, for an engineer at a terminal."""
    _headed(paper, Text("Every finding, with its evidence", "Chaque constat, avec ses preuves"), assessment.findings)
    for finding in assessment.findings:
        _whole_finding(paper, finding)
    _headed(paper, Text("Permissions", "Autorisations"), assessment.permissions)
    for permission in assessment.permissions:
        paper.line(f"{permission.name}{COLON} {_agreement(permission)}", indent=2, hang=4)
    _headed(paper, Text("Other makers' code (SDKs)", "Code d'autres éditeurs (trousses SDK)"), assessment.sdks)
    one_class, classes = Text("class", "classe"), Text("classes", "classes")
    service, library = Text("with a service", "avec un service"), LIBRARY
    paper.columns(
        [
            [
                one.name,
                one.vendor or "–",
                one.country or "–",
                service if one.operator else library,
                plural(one.classes, one_class, classes),
            ]
            for one in sorted(assessment.sdks, key=lambda one: (not one.operator, -one.classes, one.id))
        ]
    )
    _headed(paper, Text("Hosts named in the package", "Hôtes nommés dans le paquet"), assessment.exposure.hosts)
    paper.columns([[one.host, one.operator or "–", one.country or "–"] for one in assessment.exposure.hosts])
    paper.title(Text("What was read, and what was not", "Ce qui a été lu, et ce qui ne l'a pas été"))
    paper.columns(
        [
            [
                FACT_CLASSES[of],
                EXTENTS[extent_of(runs)],
                ", ".join(dict.fromkeys(run.problem for run in runs if run.problem)),
            ]
            for of, runs in completeness(assessment)
        ]
    )
    if assessment.anomalies:
        paper.title(Text("Anomalies", "Anomalies"))
        paper.columns([[one.code, one.member, one.detail] for one in assessment.anomalies])


def _headed(paper: Paper, title: Text, rows: Sequence[object]) -> None:
    """A heading, and that nothing was found where nothing follows."""
    paper.title(title)
    if not rows:
        paper.line(Text("none found", "rien n'a été trouvé"), indent=2)


def _agreement(permission: PermissionView) -> str:
    """Who must agree, and the levels of protection that say so, apart so that a line can end between them."""
    agreed = str(GRANTS[permission.grant])
    return f"{agreed} ({permission.protection.replace('|', ', ')})" if permission.protection else agreed


def _whole_finding(paper: Paper, finding: Finding) -> None:
    paper.line(f"{finding.id}{COLON} {finding.title}", indent=2, hang=2)
    said = [RUNGS[finding.ladder], DECLARATIONS[finding.declaration], GRANTS[finding.grant]]
    paper.line(f"E{int(finding.ladder)}; {joined(said, '; ')}", indent=6, hang=2)
    if finding.suppressed is not None:
        aside = Text("set aside", "écarté")
        until = finding.suppressed.expires.isoformat()
        paper.line(
            f"{aside}{COLON} {finding.suppressed.reason} – {finding.suppressed.author}, {until}", indent=6, hang=2
        )
    for evidence in finding.evidence:
        paper.line(f"{EVIDENCE[evidence.kind]}{COLON} {_place(evidence)} {evidence.detail}".rstrip(), indent=6, hang=2)


def _exposure(paper: Paper, assessment: Assessment) -> None:
    """The second axis, on lines of its own."""
    paper.title(
        Text(
            "Exposure: another question, never added to access", "Exposition : autre question, jamais ajoutée à l'accès"
        )
    )
    paper.line(exposure_line(assessment), indent=2, hang=2)
    paper.line(f"{Text('Signed by', 'Signé par')}{COLON} {signer_line(assessment)}", indent=2, hang=2)
    if not is_lookalike(assessment):
        for match in match_lines(assessment):
            paper.line(match, indent=2, hang=2)
    set_aside = suppressed_findings(assessment)
    if set_aside:
        titles = joined((one.title for one in set_aside), "; ")
        paper.line(Text(f"Set aside by a review: {titles.en}", f"Écarté par un examen : {titles.fr}"), indent=2, hang=2)


def _next(paper: Paper, assessment: Assessment, path: Path, *, details: bool) -> None:
    """What to do with it; what would lower the rating stands first, for it is what vendors and deciders ask."""
    if assessment.rating.would_lower:
        paper.title(Text("What would lower the rating", "Ce qui abaisserait la cote"))
        paper.bullets(assessment.rating.would_lower)
    paper.title(Text("Next", "Ensuite"))
    name = shlex.quote(visible(str(path), 200))
    rows = [
        ("--html page.html", Text("A page to read and print", "Une page à lire et à imprimer")),
        ("--out report.json", Text("To keep, compare and recheck", "À garder, comparer et revérifier")),
    ]
    if not details:
        rows.append(("--details", Text("Every finding and place", "Chaque constat et chaque endroit")))
    for option, words in rows:
        paper.line(words + COLON, indent=2)
        paper.literal(f"proscribe assess {name} {option}", indent=4)
