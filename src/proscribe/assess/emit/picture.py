"""The picture of the access map: a phone whose tiles are its contents, filled as far as the evidence goes.

Everything in it is told three times without colour: by bars, by a word and by the kind of fill. Sizes are those of a
narrow phone's screen, so that letters keep their size there.
"""

from __future__ import annotations

from dataclasses import dataclass

from proscribe.assess.emit.markup import Ink
from proscribe.assess.emit.reading import Reach, actors_of, condition_of, reach, reach_line, rung_of
from proscribe.assess.emit.words import AREAS, RUNGS, SHORT_RUNGS, TILES
from proscribe.assess.model import Assessment
from proscribe.assess.profile import AreaAccess
from proscribe.assess.terms import CONTENT_AREAS, ActorKind, Area, Ladder
from proscribe.text import COLON, Text

FILLS: dict[Ladder, tuple[str, str]] = {
    Ladder.none: ("#ffffff", "#47525e"),
    Ladder.declared: ("#e3ebf2", "#17202a"),
    Ladder.referenced: ("#b4cbdd", "#17202a"),
    Ladder.called: ("#14304a", "#ffffff"),
    Ladder.observed: ("#060d14", "#ffffff"),
}
"""Fill and ink of each rung, from white to black: one hue, so that the order shows in grey as well."""

HATCH = ("#ffffff", "#c3ccd5", "#17202a")
"""Paper, line and ink of what was found and does not count."""

_ICONS: dict[Area, str] = {
    Area.contacts: '<circle cx="12" cy="8" r="4"/><path d="M4 21c0-5 4-7 8-7s8 2 8 7"/>',
    Area.records: '<path d="M4 4h16v12h-9l-5 4v-4H4zM8 8.5h8M8 12h5"/>',
    Area.location: '<path d="M12 22s7-8 7-13a7 7 0 0 0-14 0c0 5 7 13 7 13z"/><circle cx="12" cy="9" r="2.5"/>',
    Area.sensors: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3M8 21h8"/>',
    Area.files: '<rect x="3" y="5" width="18" height="14"/><path d="M3 16l5-5 4 4 3-3 6 6"/>'
    '<circle cx="16" cy="9" r="1.5"/>',
    Area.screen: '<rect x="3" y="4" width="18" height="13" rx="1"/><path d="M8 21h8M12 17v4"/>',
    Area.interface: '<path d="M6 3l13 9-6 1 3 6-3 1.5-3-6-4 4z"/>',
    Area.keyboard: '<rect x="2" y="6" width="20" height="12" rx="2"/>'
    '<path d="M6 10h1M10 10h1M14 10h1M17.5 10h1M7 14h10"/>',
    Area.notifications: '<path d="M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM10 21.5h4"/>',
    Area.clipboard: '<rect x="5" y="4" width="14" height="17" rx="1"/><path d="M9 5.5V2.5h6v3M9 11h6M9 15h6"/>',
    Area.apps: '<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z"/>',
    Area.identifiers: '<rect x="3" y="5" width="18" height="14" rx="2"/><circle cx="8.5" cy="10.5" r="2"/>'
    '<path d="M5.5 16c0-3 6-3 6 0M14.5 10h4M14.5 14h4"/>',
    Area.network: '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18"/>',
}
_TOP, _TILE, _TALL, _GAP, _EDGE = 90, 109, 100, 6, 11
_WIDTH = 2 * _EDGE + 3 * _TILE + 2 * _GAP
_ROW, _PAD = 32, 7


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


def patterns() -> str:
    """What the pictures of the page fill with, defined once."""
    paper, line, _ = HATCH
    return (
        '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
        '<pattern id="withheld" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="8" height="8" fill="{paper}"/><rect width="2" height="8" fill="{line}"/></pattern></defs></svg>'
    )


def phone(pen: Ink, assessment: Assessment) -> str:
    """The access map as a phone, with a title and a description that says every area's rung in words."""
    found = reach(assessment)
    rows = {row.area: row for row in assessment.access}
    parts, y = [], float(_TOP)
    for number, area in enumerate(TILES):
        box = _Box(_EDGE + (number % 3) * (_TILE + _GAP), y + (number // 3) * (_TALL + _GAP), _TILE, _TALL)
        parts.append(_tile(pen, assessment, rows[area], box))
    y += (len(TILES) // 3) * (_TALL + _GAP)
    whole = _WIDTH - 2 * _EDGE
    parts.append(_bar(pen, assessment, rows[Area.network], _Box(_EDGE, y, whole, 40)))
    y += 40 + 24
    parts.append(f'<text class="head" x="{_EDGE}" y="{y}">{pen.text(_BEHAVIOUR)}</text>')
    y += 9
    for area in Area:
        if area not in CONTENT_AREAS:
            parts.append(_bar(pen, assessment, rows[area], _Box(_EDGE, y, whole, _ROW)))
            y += _ROW + 5
    height = y + 16
    title = pen.text(Text("Access map: the device as a phone", "Carte des accès : l'appareil vu comme un téléphone"))
    return (
        f'<svg class="phone" role="img" aria-labelledby="map-t map-d" viewBox="0 0 {_WIDTH} {height:g}">'
        f'<title id="map-t">{title}</title><desc id="map-d">{_description(pen, assessment, found)}</desc>'
        f'<rect class="body" x="2" y="2" width="{_WIDTH - 4}" height="{height - 4:g}" rx="30"/>'
        f'<rect class="ear" x="{_WIDTH / 2 - 26:g}" y="13" width="52" height="5" rx="2.5"/>'
        f"{_headline(pen, found)}{''.join(parts)}</svg>"
    )


_BEHAVIOUR = Text("How the app behaves", "Comment l'application se comporte")


def _description(pen: Ink, assessment: Assessment, found: Reach) -> str:
    areas = "; ".join(
        f"{pen.text(AREAS[row.area])}{pen.text(COLON)} {pen.text(rung_of(assessment, row, RUNGS))}"
        for row in assessment.access
    )
    return f"{pen.text(reach_line(found))} {areas}."


def _headline(pen: Ink, found: Reach) -> str:
    """The one number, large: how many of the kinds of content."""
    number = len(found.reached)
    count = Text(f"{number} of {found.of}", f"{number} sur {found.of}")
    what = Text("kinds of content that its code reaches", "types de contenu que son code atteint")
    if not number and found.lesser and not found.at_least:
        # No code that calls it is all that a property list can show, and still no "none".
        number = len(found.lesser)
        count = Text(f"{number} of {found.of}", f"{number} sur {found.of}")
        what = Text("kinds of content that it asks for or names", "types de contenu qu'elle demande ou nomme")
    if found.at_least and number:
        count = Text(f"at least {number} of {found.of}", f"au moins {number} sur {found.of}")
    elif found.at_least:
        count = Text("Not known", "Indéterminé")
        what = Text("too little could be read for a figure", "trop peu a pu être lu pour un chiffre")
    return (
        f'<text class="count" x="{_EDGE + 4}" y="55">{pen.text(count)}</text>'
        f'<text class="what" x="{_EDGE + 4}" y="76">{pen.text(what)}</text>'
    )


def _paint(row: AreaAccess) -> tuple[str, str, str]:
    """Fill, ink and class of a row's box."""
    if row.ladder is Ladder.none:
        return (*FILLS[Ladder.none], "empty")
    if not row.counts:
        return "url(#withheld)", HATCH[2], "withheld"
    return (*FILLS[row.ladder], "counted")


def _tile(pen: Ink, assessment: Assessment, row: AreaAccess, box: _Box) -> str:
    fill, ink, kind = _paint(row)
    x, y = box.x, box.y
    lines = [line for line in TILES[row.area] if line.en]
    label = "".join(
        f'<text class="label" x="{x + _PAD:g}" y="{y + 46 + 14 * number:g}" fill="{ink}">{pen.text(line)}</text>'
        for number, line in enumerate(lines)
    )
    rest = ""
    if row.ladder is not Ladder.none:
        condition = pen.text(condition_of(assessment, row))
        rest = (
            f'<text class="small" x="{x + _PAD:g}" y="{y + 92:g}" fill="{ink}">{condition}</text>'
            f"{_shapes(assessment, row, ink, x + box.width - 9, y + 74)}"
        )
    return (
        f"{_frame(box, fill, kind)}{_icon(row.area, x + 8, y + 7, ink)}"
        f"{_signal(row.ladder, x + box.width - 36, y + 8, ink)}{label}"
        f'<text class="small" x="{x + _PAD:g}" y="{y + 78:g}" fill="{ink}">'
        f"{pen.text(rung_of(assessment, row, SHORT_RUNGS))}</text>{rest}"
    )


def _bar(pen: Ink, assessment: Assessment, row: AreaAccess, box: _Box) -> str:
    """A tile as wide as the phone, on one line."""
    fill, ink, kind = _paint(row)
    middle = box.y + box.height / 2 + 4
    left = box.x + _PAD
    icon = ""
    if row.area in _ICONS:
        icon = _icon(row.area, left - 1, box.y + 8, ink)
        left += 30
    right = box.x + box.width - 44
    rung = pen.text(rung_of(assessment, row, SHORT_RUNGS))
    return (
        f"{_frame(box, fill, kind)}{icon}"
        f'<text class="label" x="{left:g}" y="{middle:g}" fill="{ink}">{pen.text(AREAS[row.area])}</text>'
        f'<text class="small" x="{right - 50:g}" y="{middle:g}" text-anchor="end" fill="{ink}">'
        f"{rung}</text>{_shapes(assessment, row, ink, right - 2, middle - 4)}"
        f"{_signal(row.ladder, right + 6, box.y + box.height / 2 - 10, ink)}"
    )


def _frame(box: _Box, fill: str, kind: str) -> str:
    return (
        f'<rect class="tile {kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="9" '
        f'fill="{fill}"/>'
    )


def _icon(area: Area, x: float, y: float, ink: str) -> str:
    return f'<g transform="translate({x:g} {y:g})" fill="none" stroke="{ink}" class="icon">{_ICONS[area]}</g>'


def _signal(ladder: Ladder, x: float, y: float, ink: str) -> str:
    """Four bars like those of a phone's reception: as many filled as there are rungs of evidence."""
    return "".join(
        f'<rect x="{x + 7.5 * (rung - 1):g}" y="{y + 20 - 5 * rung:g}" width="5.5" height="{5 * rung:g}" '
        + (f'fill="{ink}"/>' if rung <= ladder else f'fill="none" stroke="{ink}" stroke-width="0.8"/>')
        for rung in range(1, 5)
    )


def _shapes(assessment: Assessment, row: AreaAccess, ink: str, right: float, y: float) -> str:
    """A disc for the app's own code, a diamond for an SDK's, a ring for code that nobody claims; from the right."""
    kinds = {actor.kind for actor in actors_of(assessment, row)}
    drawn = []
    for kind in (ActorKind.unattributed, ActorKind.sdk, ActorKind.app):
        if kind in kinds:
            drawn.append(shape(kind, right - 5, y, ink))
            right -= 14
    return "".join(drawn)


def shape(kind: ActorKind, x: float, y: float, ink: str) -> str:
    """The mark of an actor around a point."""
    if kind is ActorKind.app:
        return f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{ink}"/>'
    if kind is ActorKind.sdk:
        return f'<path d="M{x:g} {y - 6:g}l6 6l-6 6l-6 -6z" fill="{ink}"/>'
    return f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="none" stroke="{ink}" stroke-width="1.6"/>'


def signal_mark(ladder: Ladder) -> str:
    """The bars of a rung beside a word: decoration for a screen reader."""
    return (
        '<svg class="mark" viewBox="0 0 32 24" aria-hidden="true" focusable="false">'
        f"{_signal(ladder, 2, 2, FILLS[Ladder.declared][1])}</svg>"
    )


def actor_mark(kind: ActorKind) -> str:
    """The shape of an actor beside a word."""
    return (
        '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f"{shape(kind, 12, 12, FILLS[Ladder.declared][1])}</svg>"
    )


def fill_mark(ladder: Ladder | None) -> str:
    """A sample of a tile: of a rung that counts, or (None) of what does not count."""
    fill, kind = ("url(#withheld)", "withheld") if ladder is None else (FILLS[ladder][0], "counted")
    if ladder is Ladder.none:
        kind = "empty"
    ink = FILLS[ladder][1] if ladder is not None else ""
    inner = _signal(ladder, 9, 3, ink) if ladder is not None else ""
    return (
        '<svg class="sample" viewBox="0 0 48 28" aria-hidden="true" focusable="false">'
        f"{_frame(_Box(1, 1, 46, 26), fill, kind)}{inner}</svg>"
    )
