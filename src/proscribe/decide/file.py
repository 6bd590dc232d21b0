"""A case as it lies before us: its head, its steps and the documents they name; and the step about to be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from proscribe.canonical import Digest
from proscribe.decide import needs
from proscribe.decide.model import Attached, Case, Stage, Step
from proscribe.documents import Document
from proscribe.text import Text

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class CaseFile:
    """A case with everything its steps name, by digest."""

    case: Case
    steps: tuple[Step, ...] = ()
    known: Mapping[Digest, Document] = field(default_factory=dict)

    def current(self, name: str) -> Document | None:
        """The newest document attached under a name."""
        one = attached(self.steps).get(name)
        return self.known.get(one.digest) if one else None


@dataclass(frozen=True)
class Taking:
    """A step about to be taken. ``unsigned``: signatures that nobody is asked for here; the note then says why."""

    stage: Stage
    documents: Mapping[str, Document]  # by the name under which they are attached
    at: datetime
    by: str  # a role
    note: Text | None = None
    unsigned: frozenset[str] = frozenset()  # names, such as "signature.targets"


def look(file: CaseFile, taking: Taking, name: str, cls: type[D]) -> D | None:
    """The document of that name: the one brought along, else the newest attached; None where it is of another kind."""
    document = taking.documents.get(name) or file.current(name)
    return document if isinstance(document, cls) else None


def attached(steps: Sequence[Step]) -> dict[str, Attached]:
    """What is attached under each name, the newest only."""
    return {one.name: one for step in steps for one in step.documents}


def done(steps: Sequence[Step]) -> frozenset[Stage]:
    """The stages that are done. An amendment is signed, published, accepted and carried out anew."""
    taken: set[Stage] = set()
    for step in steps:
        if step.stage is Stage.amend:
            taken -= {Stage.sign, Stage.publish, *needs.REPEATED}
        else:
            taken.add(step.stage)
    return frozenset(taken)


def past(steps: Sequence[Step]) -> bool:
    """Whether a case has come to its end."""
    return any(step.stage in needs.ENDS for step in steps)


def sealed(case: Case, steps: Sequence[Step], stage: Stage) -> bool:
    """Whether a decision rests on this stage, so that it is not gone through again."""
    taken = done(steps)
    for strand in needs.STRANDS[case.track]:
        if stage in strand:
            rest = strand[strand.index(stage) :]
            if any(one in taken for one in rest if one in needs.DECISIONS):
                return True
    return False
