"""The picture of the second axis, drawn apart from the first and in other shapes: countries, and through whom."""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.makers import CountryRow
from proscribe.assess.emit.markup import Ink
from proscribe.text import Text

INK, SOFT, RULE = "#17202a", "#47525e", "#c3ccd5"
MOST_ROWS = 10
_MOST_MARKS = 6
_WIDTH, _HEAD, _ROW = 360, 26, 34
_COLUMNS = ((126, Text("Publisher", "Éditeur")), (200, Text("SDKs", "Trousses")), (276, Text("Hosts", "Hôtes")))


def countries(pen: Ink, rows: Sequence[CountryRow]) -> str:
    """One line a country: a building for the publisher, a diamond for each SDK, a dot for each host."""
    shown = rows[:MOST_ROWS]
    height = _HEAD + _ROW * len(shown) + 4
    heads = "".join(f'<text class="small" x="{x}" y="16" fill="{SOFT}">{pen.text(name)}</text>' for x, name in _COLUMNS)
    title = pen.text(Text("Exposure by country", "Exposition par pays"))
    words = "; ".join(_in_words(pen, row) for row in rows)
    return (
        f'<svg class="countries" role="img" aria-labelledby="countries-t countries-d" viewBox="0 0 {_WIDTH} {height}">'
        f'<title id="countries-t">{title}</title><desc id="countries-d">{words}.</desc>{heads}'
        f"{''.join(_line(pen, row, _HEAD + _ROW * number) for number, row in enumerate(shown))}</svg>"
    )


def _in_words(pen: Ink, row: CountryRow) -> str:
    publisher = row.publisher_words if row.publisher else Text("none", "aucun")
    parts = Text("publisher: {}, SDKs: {}, hosts: {}", "éditeur : {}, trousses SDK : {}, hôtes : {}")
    counted = pen.text(parts).format(pen.text(publisher), len(row.sdks), row.hosts)
    return f"{pen.text(row.name)} ({counted})"


def _line(pen: Ink, row: CountryRow, top: int) -> str:
    middle = top + _ROW / 2
    name = pen.text(visible(pen.plain(row.name), 17))
    parts = [
        f'<path d="M0 {top}H{_WIDTH}" stroke="{RULE}"/>',
        f'<text class="label" x="0" y="{middle + 5:g}" fill="{INK}">{name}</text>',
    ]
    x = _COLUMNS[0][0]
    if row.publisher:
        house = f"M{x} {middle + 8:g}v-12l8 -6l8 6v12z"
        dashes = ' stroke-dasharray="3 2"' if row.by_name else ""  # by name only: not established
        parts.append(f'<path d="{house}" fill="none" stroke="{INK}" stroke-width="2"{dashes}/>')
    else:
        parts.append(_nothing(x, middle))
    parts.append(_marks(_COLUMNS[1][0], middle, len(row.sdks), diamond=True))
    parts.append(_marks(_COLUMNS[2][0], middle, row.hosts, diamond=False))
    return "".join(parts)


def _marks(x: int, middle: float, count: int, *, diamond: bool) -> str:
    """The number, then a mark for each of the first few."""
    if not count:
        return _nothing(x, middle)
    parts = [f'<text class="label" x="{x}" y="{middle + 5:g}" fill="{INK}">{count}</text>']
    start = x + 10 + 7 * len(str(count))
    for number in range(min(count, _MOST_MARKS if not diamond else 3)):
        at = start + 9 * number
        if diamond:
            parts.append(f'<path d="M{at} {middle - 4:g}l4 4l-4 4l-4 -4z" fill="{INK}"/>')
        else:
            parts.append(f'<rect x="{at - 3}" y="{middle - 3:g}" width="6" height="6" fill="{INK}"/>')
    return "".join(parts)


def _nothing(x: int, middle: float) -> str:
    return f'<text class="small" x="{x}" y="{middle + 5:g}" fill="{SOFT}">–</text>'
