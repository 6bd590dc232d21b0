"""The pictures of the report, as inline SVG made here: nothing to load, nothing to run, readable without colour.

Every picture has a title and a description for those who do not see it, and stands beside a table with the same
numbers. Patterns are defined once for the page (:func:`patterns`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from proscribe.enforce.model import Outcome
from proscribe.page.markup import Pen
from proscribe.prove.evidence import HistoryPoint
from proscribe.prove.report_model import GROUP_COLOURS, GROUP_PATTERNS, STYLES, Group, by_group
from proscribe.prove.report_words import GROUPS
from proscribe.text import Text

_STROKE = 'stroke="#fff" stroke-width="1.6" stroke-opacity="0.75" fill="none"'
_MARKS: dict[str, str] = {
    "solid": "",
    "diagonal": f'<path d="M-2 10L10 -2M-2 2L2 -2M6 10L10 6" {_STROKE}/>',
    "counter": f'<path d="M-2 -2L10 10M6 -2L10 2M-2 6L2 10" {_STROKE}/>',
    "cross": f'<path d="M0 0L8 8M8 0L0 8" {_STROKE}/>',
    "dots": '<circle cx="4" cy="4" r="1.7" fill="#fff" fill-opacity="0.85"/>',
    "vertical": f'<path d="M4 0V8" {_STROKE}/>',
    "horizontal": f'<path d="M0 4H8" {_STROKE}/>',
}
_DASHES: dict[Group, str] = {
    Group.verified: "",
    Group.waiting: "9 4",
    Group.unseen: "2 4",
    Group.not_done: "12 4 2 4",
    Group.exempt: "5 3",
}


def patterns() -> str:
    """The fill of every outcome and every group, defined once; the pictures of the page refer to them."""
    fills = [(fill(outcome), style.colour, style.pattern) for outcome, style in STYLES.items()]
    fills += [(fill(group), GROUP_COLOURS[group], GROUP_PATTERNS[group]) for group in Group]
    tiles = "".join(
        f'<pattern id="{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{colour}"/>{_MARKS[pattern]}</pattern>'
        for name, colour, pattern in fills
    )
    return f'<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>{tiles}</defs></svg>'


def fill(of: Outcome | Group) -> str:
    """The id of a fill."""
    return f"{'outcome' if isinstance(of, Outcome) else 'group'}-{of}"


def swatch(of: Outcome | Group) -> str:
    """A small sample of a fill, beside its name: decoration for a screen reader."""
    return (
        '<svg class="swatch" viewBox="0 0 24 16" aria-hidden="true" focusable="false">'
        f'<rect width="24" height="16" fill="url(#{fill(of)})"/></svg>'
    )


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture is called and what it says in words, both escaped. ``id`` makes its ids unique in the page."""

    id: str
    title: str
    description: str


Parts = Sequence[tuple[Outcome | Group, int]]


def small_bar(caption: Caption, parts: Parts) -> str:
    """A bar for a row of a table."""
    return _bar(caption, parts, width=260, height=18, kind="small")


def large_bar(caption: Caption, parts: Parts) -> str:
    """A bar across the page, drawn once for a screen or paper and once for a phone, where patterns would shrink."""
    slim = Caption(f"{caption.id}-slim", caption.title, caption.description)
    return _bar(caption, parts, width=1040, height=44, kind="wide") + _bar(
        slim, parts, width=360, height=44, kind="slim"
    )


def _bar(caption: Caption, parts: Parts, *, width: int, height: int, kind: str) -> str:
    """One bar, a segment a part, in the order given."""
    drawn = [(of, devices) for of, devices in parts if devices]
    spans = _spans([devices for _, devices in drawn], float(width))
    segments = "".join(
        f'<rect x="{start:.2f}" y="0" width="{size:.2f}" height="{height}" fill="url(#{fill(of)})"/>'
        for (of, _), (start, size) in zip(drawn, spans, strict=True)
    )
    gaps = "".join(
        f'<rect x="{start - 0.75:.2f}" y="0" width="1.5" height="{height}" fill="#fff"/>' for start, _ in spans[1:]
    )
    title, description = f"{caption.id}-t", f"{caption.id}-d"
    return (
        f'<svg class="bar {kind}" role="img" aria-labelledby="{title} {description}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="none"><title id="{title}">{caption.title}</title>'
        f'<desc id="{description}">{caption.description}</desc>{segments}{gaps}</svg>'
    )


def _spans(values: Sequence[int], width: float) -> list[tuple[float, float]]:
    """Start and width of each segment. A single device in thousands still gets a visible sliver."""
    whole = sum(values)
    if not whole:
        return []
    least = width * 0.006
    sizes = [max(least, width * value / whole) for value in values]
    scale = width / sum(sizes)
    spans, at = [], 0.0
    for size in sizes:
        spans.append((at, size * scale))
        at += size * scale
    return spans


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def plot_width(self) -> int:
        return self.width - self.left - self.right

    @property
    def plot_height(self) -> int:
        return self.height - self.top - self.bottom


_WIDE = _Frame(width=960, height=340, left=64, right=150, top=16, bottom=44)
_NARROW = _Frame(width=360, height=330, left=44, right=124, top=14, bottom=44)


def convergence(pen: Pen, points: Sequence[HistoryPoint], fleet: int) -> str:
    """Devices by group over time, as steps: nothing is known between two observations. Wide and narrow versions.

    ``points`` has at least two moments, old to new.
    """
    return _steps(pen, points, fleet, _WIDE, "wide") + _steps(pen, points, fleet, _NARROW, "slim")


def _steps(pen: Pen, points: Sequence[HistoryPoint], fleet: int, frame: _Frame, name: str) -> str:
    series = {group: [by_group(point.by_outcome)[group] for point in points] for group in Group}
    shown = {group: values for group, values in series.items() if any(values)}
    highest = max([fleet, 1, *(value for values in shown.values() for value in values)])
    step = _step(highest)
    top = step * -(-highest // step)
    start, end = points[0].at, points[-1].at
    span = max((end - start).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return frame.left + frame.plot_width * (at - start).total_seconds() / span

    def y(value: float) -> float:
        return frame.top + frame.plot_height * (1 - value / top)

    parts = [_grid(pen, frame, step, top), _time_axis(pen, frame, start, end)]
    for group, values in shown.items():
        path = f"M{x(start):.1f} {y(values[0]):.1f}" + "".join(
            f"H{x(point.at):.1f}V{y(value):.1f}" for point, value in zip(points[1:], values[1:], strict=True)
        )
        dash = f' stroke-dasharray="{_DASHES[group]}"' if _DASHES[group] else ""
        thick = 3.5 if group is Group.verified else 2.5
        parts.append(
            f'<path d="{path}" fill="none" stroke="{GROUP_COLOURS[group]}" stroke-width="{thick}"{dash} '
            'stroke-linejoin="round"/>'
        )
        parts.append(_end_mark(group, x(end), y(values[-1])))
    labels = _spread([(group, y(values[-1])) for group, values in shown.items()], frame)
    for group, at in labels:
        parts.append(
            f'<text x="{frame.width - frame.right + 12}" y="{at + 4:.1f}" class="series" '
            f'fill="{GROUP_COLOURS[group]}">{pen.text(GROUPS[group])} {pen.number(shown[group][-1])}</text>'
        )
    title = pen.text(Text("Devices over time", "Appareils au fil du temps"))
    return (
        f'<svg class="lines {name}" role="img" aria-labelledby="lines-{name}-t lines-{name}-d" '
        f'viewBox="0 0 {frame.width} {frame.height}"><title id="lines-{name}-t">{title}</title>'
        f'<desc id="lines-{name}-d">{_movement(pen, shown)}</desc>{"".join(parts)}</svg>'
    )


def _movement(pen: Pen, shown: Mapping[Group, Sequence[int]]) -> str:
    parts = [
        pen.text(
            Text(
                f"{GROUPS[group].en}, in devices: from {pen.number(values[0])} to {pen.number(values[-1])}.",
                f"{GROUPS[group].fr}, en appareils : de {pen.number(values[0])} à {pen.number(values[-1])}.",
            )
        )
        for group, values in shown.items()
    ]
    return " ".join(parts)


def _step(value: int) -> int:
    """The distance between the lines of an axis: 1, 2 or 5 times a power of ten, at most five of them."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * 5 >= value:
                return factor * power
        power *= 10


def _grid(pen: Pen, frame: _Frame, step: int, top: int) -> str:
    parts = []
    for value in range(0, top + 1, step):
        at = frame.top + frame.plot_height * (1 - value / top)
        parts.append(
            f'<line x1="{frame.left}" x2="{frame.width - frame.right}" y1="{at:.1f}" y2="{at:.1f}" '
            f'stroke="{"#d5dbe1" if value else "#5b6470"}"/>'
            f'<text x="{frame.left - 8}" y="{at + 4:.1f}" class="tick" text-anchor="end">{pen.number(value)}</text>'
        )
    return "".join(parts)


def _time_axis(pen: Pen, frame: _Frame, start: datetime, end: datetime) -> str:
    floor = frame.top + frame.plot_height
    count = 5 if frame is _WIDE else 3
    parts = []
    for number in range(count):
        share = number / (count - 1)
        at = start + (end - start) * share
        x = frame.left + frame.plot_width * share
        anchor = "start" if number == 0 else "end" if number == count - 1 else "middle"
        label = _tick(pen, at, end - start)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 5}" stroke="#5b6470"/>'
            f'<text x="{x:.1f}" y="{floor + 21}" class="tick" text-anchor="{anchor}">{label}</text>'
        )
    return "".join(parts)


def _tick(pen: Pen, at: datetime, span: timedelta) -> str:
    hour = f"{at:%H} h {at:%M}" if pen.language == "fr" else f"{at:%H:%M}"
    if span < timedelta(days=2):
        return hour
    if span < timedelta(days=8):  # marks less than a day apart would bear the same date
        return f"{at:%m-%d}, {hour}"
    if span < timedelta(days=300):
        return f"{at:%m-%d}"
    return f"{at:%Y-%m}"


def _end_mark(group: Group, x: float, y: float) -> str:
    colour = GROUP_COLOURS[group]
    shapes = {
        Group.verified: f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"',
        Group.waiting: f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"',
        Group.unseen: f'<path d="M{x:.1f} {y - 6:.1f}l6 10h-12z"',
        Group.not_done: f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"',
        Group.exempt: f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="{colour}" stroke-width="2.5"',
    }
    return f'{shapes[group]} fill="{colour}"/>'


def _spread(labels: Sequence[tuple[Group, float]], frame: _Frame) -> list[tuple[Group, float]]:
    """Move labels apart so that none covers another, and keep them inside the plot."""
    gap = 17.0
    placed: list[tuple[Group, float]] = []
    for group, at in sorted(labels, key=lambda item: item[1]):
        placed.append((group, max(at, placed[-1][1] + gap) if placed else at))
    limit = float(frame.top + frame.plot_height)
    for position in range(len(placed) - 1, -1, -1):
        group, at = placed[position]
        placed[position] = (group, min(at, limit))
        limit = placed[position][1] - gap
    return placed
