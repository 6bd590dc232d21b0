"""What comes of comparing, on a terminal: a report with its file, an update with what was before, a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from proscribe.assess.emit.reading import actor_name
from proscribe.assess.emit.words import RATINGS
from proscribe.assess.model import Batch, Difference, Recheck, RecheckState
from proscribe.cli.assess_paper import Paper
from proscribe.text import COLON, Text, number

SHOWN = 20


def holds(result: Recheck) -> bool:
    """Whether a report stands: it is of this very file, and nothing that could be looked up or made anew failed."""
    return result.same_file and not result.failed and result.remade is not RecheckState.fails


def is_whole(result: Recheck) -> bool:
    """Whether all of a report was checked, not its evidence alone."""
    return result.remade is RecheckState.holds


def show_recheck(result: Recheck, *, every: bool) -> None:
    """Each item that does not hold, then the counts, then the verdict."""
    paper = Paper()
    words = {
        RecheckState.fails: Text("FAILS", "ÉCHEC"),
        RecheckState.not_checkable: Text("not checkable", "non vérifiable"),
        RecheckState.holds: Text("holds", "valable"),
    }
    items = sorted(result.items, key=lambda one: one.state is not RecheckState.fails)
    for item in items if every else items[:SHOWN]:
        place = f" #{item.number}" if item.number else ""
        paper.line(f"{words[item.state]}  {item.finding}{place}{COLON} {item.why}", hang=2)
        evidence = item.evidence
        at = f" +{evidence.offset}" if evidence.offset >= 0 else ""
        where = f"{evidence.member} {evidence.caller}{at} {evidence.subject}"
        paper.line(" ".join(where.split(" ")).strip(), indent=4, hang=2)
    _more(paper, len(items) - SHOWN if not every else 0, Text(" (--details)", " (--details)"))
    for part in result.parts:
        paper.line(f"{words[part.state]}  {part.part}{COLON} {part.why}", hang=2)
    paper.line()
    counts = [number(count) for count in (result.checked, result.held, result.failed, result.not_checkable)]
    paper.line(
        Text(
            "Evidence looked up: {}; holds: {}; fails: {}; not checkable: {}.".format(*(one.en for one in counts)),
            "Éléments de preuve recherchés : {}; valables : {}; en échec : {}; non vérifiables : {}.".format(
                *(one.fr for one in counts)
            ),
        )
    )
    if not result.same_file:
        paper.line(
            Text(
                "The report is of another file: the SHA-256 of the package differs.",
                "Le rapport porte sur un autre fichier : le SHA-256 du paquet diffère.",
            )
        )
    paper.line(_verdict(result), bold=True)


def _verdict(result: Recheck) -> Text:
    if not holds(result):
        return Text("The report does not hold for this file.", "Le rapport n'est pas valable pour ce fichier.")
    if is_whole(result):
        return Text(
            "The report holds for this file: made anew, it is the same in every part.",
            "Le rapport est valable pour ce fichier : refait, il est le même en tout point.",
        )
    return Text(
        "The evidence holds for this file; the rest of the report was not made anew in full.",
        "Les éléments de preuve sont valables pour ce fichier; le reste du rapport n'a pas été refait en entier.",
    )


def show_difference(found: Difference) -> None:
    """What is notable, the areas that moved, then what came and what went."""
    paper = Paper()
    before, after = RATINGS[found.rating_before], RATINGS[found.rating_after]
    unknown = Text("no version stated", "aucune version indiquée")
    versions = f"{found.version_before or unknown} → {found.version_after or unknown}"
    paper.line(f"{found.app_id}{COLON} {versions}", bold=True)
    paper.line(Text(f"Access: {before.en} → {after.en}", f"Accès : {before.fr} → {after.fr}"))
    if found.notable:
        paper.title(Text("Notable", "À noter"))
        paper.bullets(found.notable)
    if found.areas:
        paper.title(Text("Areas that changed", "Domaines qui ont changé"))
        paper.columns([[f"{paper.bars(one.before)} → {paper.bars(one.after)}", one.summary] for one in found.areas])
    _findings(paper, found)
    changes = (
        (Text("Permissions", "Autorisations"), found.permissions_added, found.permissions_removed),
        (Text("Special access", "Accès spéciaux"), found.special_added, found.special_removed),
        (Text("SDKs", "Trousses SDK"), found.sdks_added, found.sdks_removed),
        (Text("Hosts", "Hôtes"), found.hosts_added, found.hosts_removed),
        (Text("Components", "Composants"), found.components_added, found.components_removed),
    )
    for title, added, removed in changes:
        _moved(paper, title, added, removed)
    moved = (found.areas, found.findings_added, found.findings_removed, found.findings_raised, found.findings_lowered)
    if not any(moved) and not any(added or removed for _, added, removed in changes):
        paper.line()
        paper.line(Text("Nothing that is looked at has changed.", "Rien de ce qui est examiné n'a changé."))


def _findings(paper: Paper, found: Difference) -> None:
    groups = (
        (Text("Findings added", "Constats ajoutés"), "+", found.findings_added),
        (Text("Findings gone", "Constats disparus"), "-", found.findings_removed),
    )
    for title, sign, findings in groups:
        if findings:
            paper.title(title)
            for one in findings:
                paper.line(f"{sign} E{int(one.ladder)}  {one.title} – {actor_name(one.actor)}", indent=2, hang=4)
    for title, ids in (
        (Text("Evidence stronger than before", "Preuve plus forte qu'avant"), found.findings_raised),
        (Text("Evidence weaker than before", "Preuve plus faible qu'avant"), found.findings_lowered),
    ):
        if ids:
            paper.title(title)
            paper.bullets(ids)


def _moved(paper: Paper, title: Text, added: Sequence[str], removed: Sequence[str]) -> None:
    lines = [f"+ {name}" for name in added] + [f"- {name}" for name in removed]
    if not lines:
        return
    paper.title(title)
    for line in lines[:SHOWN]:
        paper.line(line, indent=2, hang=4)
    _more(paper, len(lines) - SHOWN, Text(" (--json)", " (--json)"))


def _more(paper: Paper, count: int, where: Text) -> None:
    if count > 0:
        paper.line(Text(f"... and {count} more", f"... et {count} de plus") + where, indent=2)


def show_batch(result: Batch, out: Path) -> None:
    """Every file in a line: those that could not be assessed first, then by rating."""
    paper = Paper()
    failed = [item for item in result.items if item.problem]
    if failed:
        paper.line(Text("Could not be assessed", "N'ont pas pu être évalués"), bold=True)
        paper.columns([[item.file, item.problem, item.detail] for item in failed])
        paper.line()
    counted = Counter(item.rating for item in result.items if item.rating is not None)
    order = list(RATINGS)
    done = sorted(
        (item for item in result.items if item.rating is not None),
        key=lambda item: (-order.index(item.rating or order[0]), item.file),
    )
    if done:
        paper.line(Text("Assessed", "Évalués"), bold=True)
        paper.columns([[RATINGS[item.rating], item.app_id, item.version, item.file] for item in done if item.rating])
        paper.line()
    ratings = [f"{RATINGS[rating]}{COLON} {counted[rating]}" for rating in reversed(order) if counted[rating]]
    counts = [number(count) for count in (result.files, result.assessed, result.failed, result.skipped)]
    paper.line(
        Text(
            "Packages: {}; assessed: {}; failed: {}. Other files: {}.".format(*(one.en for one in counts)),
            "Paquets : {}; évalués : {}; en échec : {}. Autres fichiers : {}.".format(*(one.fr for one in counts)),
        )
    )
    if ratings:
        paper.line("; ".join(ratings) + ".")
    paper.line(Text(f"Assessments and list are in {out}.", f"Les évaluations et la liste se trouvent dans {out}."))
