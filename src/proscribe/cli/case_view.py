"""Where a case stands, drawn in at most 80 columns: what is done, what comes next and what that lacks."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from proscribe.decide import needs
from proscribe.decide.file import done
from proscribe.decide.words import STAGES, TRACKS
from proscribe.text import COLON, Text, plural

if TYPE_CHECKING:
    from proscribe.decide.model import Stage, Step
    from proscribe.service.casework import CaseView

WIDTH = 80
_DONE, _NEXT, _LATER = Text("done", "fait"), Text("next", "suite"), Text("later", "après")
_THERE = Text("everything is there", "tout y est")


def drawing(view: CaseView) -> str:
    """The whole picture as text; words and not colours say what a line is."""
    case = view.file.case
    lines = textwrap.wrap(str(case.title), WIDTH)
    lines.append(f"{case.id}, {Text('track', 'voie')}{COLON} {TRACKS[case.track]}")
    if view.expired:
        lines += _folded(
            Text(
                f"! The interim decision ended on {case.interim_until}.",
                f"! La décision provisoire a pris fin le {case.interim_until}.",
            ),
            "",
        )
    elif case.interim_until is not None:
        lines += _folded(
            Text(
                f"Ends on {case.interim_until} unless confirmed.",
                f"Prend fin le {case.interim_until}, sauf confirmation.",
            ),
            "",
        )
    lines.append("")
    last = {step.stage: step for step in view.file.steps}
    taken = done(view.file.steps)
    afterwards = [stage for stage in needs.AFTERWARDS if stage in last or stage in view.lacks]
    for stage in (*needs.stages(case), *afterwards):
        lines += _stage(view, stage, last.get(stage) if stage in taken or stage in needs.ENDS else None)
    if view.desk:
        lines += ["", *_folded(Text("Ready: ", "Prêt\u00a0: ") + _same(", ".join(one.name for one in view.desk)), "")]
    lines += ["", f"{Text('Last step', 'Dernière étape')}{COLON} {view.head}"]
    return "\n".join(lines)


def coming(view: CaseView) -> list[str]:
    """What may come next, a line each, with the names of what it lacks."""
    lines = []
    for stage, lacks in view.lacks.items():
        names = ", ".join(one.name for one in lacks)
        missing = Text("missing", "il manque") + COLON + _same(f" {names}") if lacks else _THERE
        lines += _folded(Text("Next: ", "Ensuite\u00a0: ") + _same(f"{stage.value}; ") + missing, "")
    return lines


def _stage(view: CaseView, stage: Stage, step: Step | None) -> list[str]:
    lacks = view.lacks.get(stage)
    name = _name(stage)
    if step is not None:
        papers = plural(len(step.documents), Text("doc.", "doc."), Text("docs.", "doc."))
        return [f"[x] {_DONE!s:<6}{name}{step.at.date()}  {step.by:<15.14}{papers}"]
    if lacks is None:
        return [f"[ ] {_LATER!s:<6}{name}".rstrip()]
    if not lacks:
        return [f"[>] {_NEXT!s:<6}{name}{_THERE}"]
    count = plural(
        len(lacks), Text("thing is missing", "élément manque"), Text("things are missing", "éléments manquent")
    )
    lines = [f"[>] {_NEXT!s:<6}{name}{count}"]
    for one in lacks:
        lines += _folded(_same(one.name) + COLON + Text(" ", " ") + one.what, " " * 10, "- ")
    return lines


def _name(stage: Stage) -> str:
    """The name that 'case advance' takes, and the word for it where that is another one."""
    word = str(STAGES[stage])
    return f"{stage.value:<13}" + ("" if word == stage.value else f"{word:<21}")


def _folded(text: Text, indent: str, mark: str = "") -> list[str]:
    return textwrap.wrap(str(text), WIDTH, initial_indent=indent + mark, subsequent_indent=indent + " " * len(mark))


def _same(value: str) -> Text:
    return Text(value, value)
