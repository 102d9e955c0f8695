"""Line charts as SVG with a logarithmic y axis, in the looks of :mod:`benchmarks.chart`."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.chart import DARK, HEAD, LIGHT, MARGIN, STYLE, number, text, ticks

PANEL_WIDTH = 400
PANEL_HEIGHT = 250
GAP = 24
LEFT = 56
TOP = 26
FOOT = 44
# Line styles tell the others apart in print, and for those who do not see the colors.
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4")


@dataclass(frozen=True)
class Line:
    label: str
    points: list[tuple[float, float]]
    own: bool = False


@dataclass(frozen=True)
class Panel:
    title: str
    x_unit: str
    y_unit: str
    lines: list[Line]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten from the one at or below ``low`` to the one at or above ``high``."""
    first = math.floor(math.log10(max(low, 1e-6)) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(max(high, 1e-6)) - 1e-9))
    return [10.0**power for power in range(first, last + 1)]


def draw_panel(panel: Panel, x: float, y: float) -> list[str]:
    points = [point for line in panel.lines for point in line.points]
    parts = [text(x, y + 12, panel.title, "panel")]
    if not points:
        return parts
    x_marks = ticks(max(at for at, _ in points))
    y_marks = decades(min(value for _, value in points), max(value for _, value in points))
    left, top = x + LEFT, y + TOP
    width, height = PANEL_WIDTH - LEFT - 8, PANEL_HEIGHT - TOP - FOOT
    low, span = math.log10(y_marks[0]), math.log10(y_marks[-1]) - math.log10(y_marks[0])

    def place(at: float, value: float) -> tuple[float, float]:
        return left + at / x_marks[-1] * width, top + height - (math.log10(max(value, 1e-6)) - low) / span * height

    for mark in y_marks:
        _, at = place(0, mark)
        parts.append(f'<line x1="{left}" y1="{at:.1f}" x2="{left + width}" y2="{at:.1f}" class="grid"/>')
        parts.append(text(left - 6, at + 4, number(mark), "tick", "end"))
    for mark in x_marks:
        at, _ = place(mark, y_marks[0])
        parts.append(text(at, top + height + 14, number(mark), "tick", "middle"))
    parts.append(text(left + width / 2, top + height + 30, f"{panel.x_unit}; y: {panel.y_unit}", "unit", "middle"))
    peer = 0
    for line in panel.lines:
        path = " ".join(
            f"{'M' if index == 0 else 'L'}{px:.1f} {py:.1f}"
            for index, (px, py) in enumerate(place(at, value) for at, value in line.points)
        )
        dash = "" if line.own else DASHES[peer % len(DASHES)]
        peer += not line.own
        kind = "own-line" if line.own else "peer-line"
        parts.append(
            f'<path class="{kind}" stroke-dasharray="{dash}" d="{path}"><title>{escape(line.label)}</title></path>'
        )
    return parts


def legend(panels: list[Panel], y: float) -> list[str]:
    """Each label once, with its line."""
    parts, x, peer, seen = [], float(MARGIN), 0, set()
    for line in (line for panel in panels for line in panel.lines):
        if line.label in seen:
            continue
        seen.add(line.label)
        dash = "" if line.own else DASHES[peer % len(DASHES)]
        peer += not line.own
        kind = "own-line" if line.own else "peer-line"
        parts.append(f'<path class="{kind}" stroke-dasharray="{dash}" d="M{x} {y - 4}h28"/>')
        parts.append(text(x + 34, y, line.label, "label"))
        x += 34 + 8 * len(line.label) + 24
    return parts


def draw(title: str, subtitle: str, panels: list[Panel], columns: int = 3) -> str:
    """The whole picture: a legend, and panels row by row."""
    columns = max(1, min(columns, len(panels)))
    rows = [panels[index : index + columns] for index in range(0, len(panels), columns)]
    width = 2 * MARGIN + columns * PANEL_WIDTH + (columns - 1) * GAP
    height = HEAD + 20 + len(rows) * PANEL_HEIGHT + MARGIN
    line_style = "stroke-width: 2; fill: none;"
    colors = [
        f".own-line {{ stroke: {theme['own']}; {line_style} }} .peer-line {{ stroke: {theme['peer']}; {line_style} }}"
        for theme in (LIGHT, DARK)
    ]
    style = f"{STYLE} {colors[0]} @media (prefers-color-scheme: dark) {{ {colors[1]} }}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="chart-title">',
        f'<title id="chart-title">{escape(title)}</title>',
        f"<style>{style}</style>",
        f'<rect width="{width}" height="{height}" class="page"/>',
        text(MARGIN, 34, title, "title"),
        text(MARGIN, 54, subtitle, "faint"),
        *legend(panels, 78),
    ]
    for row_index, row in enumerate(rows):
        for column, panel in enumerate(row):
            parts += draw_panel(panel, MARGIN + column * (PANEL_WIDTH + GAP), HEAD + 20 + row_index * PANEL_HEIGHT)
    return "\n".join([*parts, "</svg>", ""])
