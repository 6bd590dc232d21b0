"""The plain description of a directive, for readers of STIX who have not got this program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from proscribe.directive.model import Directive, Force
from proscribe.text import COLON, Text

_FORCE = {
    Force.binding: Text("It binds those it is addressed to.", "Elle lie ses destinataires."),
    Force.recommended: Text("It recommends; it does not bind.", "Elle recommande, sans contraindre."),
    Force.mixed: Text("It binds in part and recommends in part.", "Elle contraint en partie et recommande en partie."),
}
_NOTHING_BY_ITSELF = Text(
    "This is another organisation's decision. It proposes; it does not act where it is received.",
    "Il s'agit de la décision d'une autre organisation. Elle propose; elle n'agit pas là où elle est reçue.",
)


def described(directive: Directive) -> Text:
    """Paragraphs: instrument, force, days, what is banned, what is left out, the reasons stated, and what it is not."""
    lines = tuple(_lines(directive))
    return Text("\n".join(line.en for line in lines), "\n".join(line.fr for line in lines))


def _lines(directive: Directive) -> Iterator[Text]:
    yield directive.instrument
    yield _FORCE[directive.force]
    yield from _dated(Text("Announced", "Annonce"), directive.announced)
    yield from _dated(Text("In effect from", "En vigueur à partir du"), directive.effective)
    yield from _dated(Text("To be reviewed on", "Réexamen prévu le"), directive.review_on)
    yield from _dated(Text("Ends on", "Prend fin le"), directive.expires_on)
    for item in directive.items:
        yield _labelled(Text("Banned", "Interdit"), item.wording)
        for carve_out in item.carve_outs:
            yield _labelled(Text("Left out", "Exclu"), carve_out)
    for exclusion in directive.applies.exclusions:
        yield _labelled(Text("Does not apply to", "Ne s'applique pas à"), exclusion)
    for reason in directive.stated_reasons:
        yield _labelled(Text("Reason stated", "Motif énoncé"), reason)
    yield _NOTHING_BY_ITSELF


def _labelled(label: Text, value: Text) -> Text:
    return label + COLON + Text(" ", " ") + value


def _dated(label: Text, day: date | None) -> Iterator[Text]:
    if day is not None:
        yield _labelled(label, Text(day.isoformat(), day.isoformat()))
