"""Horizontal bar charts as SVG, written by hand: no library, readable on light and dark pages."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

# Plain colors per class, since several SVG renderers know no CSS variables.
LIGHT = {
    "page": "#ffffff",
    "ink": "#1c2128",
    "faint": "#5d6673",
    "grid": "#dfe3e8",
    "peer": "#9aa5b4",
    "own": "#6d3bd1",
}
DARK = {"page": "#0f1318", "ink": "#e8ecf1", "faint": "#9aa4b2", "grid": "#2a313b", "peer": "#5f6b7b", "own": "#a480ff"}

COLORS = """
  text {{ fill: {ink}; }} .faint, .tick, .unit {{ fill: {faint}; }} .page {{ fill: {page}; }}
  .peer {{ fill: {peer}; }} .own {{ fill: {own}; }} .grid {{ stroke: {grid}; }} .spread {{ stroke: {ink}; }}"""

STYLE = f"""
  text {{ font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }}
  .title {{ font-size: 20px; font-weight: 600; }} .panel {{ font-size: 14px; font-weight: 600; }}
  .label, .value {{ font-size: 12px; }} .faint, .tick, .unit {{ font-size: 11px; }} .own-label {{ font-weight: 600; }}
  .spread {{ stroke-width: 1.2; fill: none; }}{COLORS.format(**LIGHT)}
  @media (prefers-color-scheme: dark) {{{COLORS.format(**DARK)}
  }}
"""

MARGIN = 24
HEAD = 76
PANEL_WIDTH = 540
GAP = 28
LABEL_WIDTH = 184
VALUE_WIDTH = 74
BAR = 14
STEP = 21
PANEL_HEAD = 26
PANEL_FOOT = 52


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    low: float
    high: float
    own: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Panel:
    title: str
    unit: str
    bars: list[Bar]

    @property
    def height(self) -> int:
        return PANEL_HEAD + STEP * len(self.bars) + PANEL_FOOT


def ticks(highest: float, wanted: int = 4) -> list[float]:
    """Round numbers from zero to the first one that is not below the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [index * step for index in range(math.ceil(highest / step - 1e-9) + 1)]


def number(value: float) -> str:
    """A number short enough for a chart: 128k, 7.4k, 950, 4.2, 0.31."""
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    if value >= 10_000:
        return f"{value / 1000:.0f}k"
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def text(x, y, words, style, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'


def draw_panel(panel: Panel, x: float, y: float) -> list[str]:
    left = x + LABEL_WIDTH
    width = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
    top = y + PANEL_HEAD
    bottom = top + STEP * len(panel.bars)
    marks = ticks(max((bar.high for bar in panel.bars), default=0))
    scale = width / marks[-1]
    parts = [text(x, y + 12, panel.title, "panel")]
    for mark in marks:
        at = left + mark * scale
        parts.append(f'<line x1="{at:.1f}" y1="{top - 4}" x2="{at:.1f}" y2="{bottom}" class="grid"/>')
        parts.append(text(at, bottom + 14, number(mark), "tick", "middle"))
    parts.append(text(left + width / 2, bottom + 30, panel.unit, "unit", "middle"))
    for index, bar in enumerate(panel.bars):
        row = top + STEP * index
        middle = row + BAR / 2
        kind = "own" if bar.own else "peer"
        end = left + max(bar.value * scale, 0.5)
        label = "label own-label" if bar.own else "label"
        parts.append(text(left - 8, middle + 4, bar.label, label, "end"))
        parts.append(
            f'<rect x="{left:.1f}" y="{row}" width="{end - left:.1f}" height="{BAR}" rx="2" class="{kind}">'
            f"<title>{escape(bar.label)}: {bar.value:,.4g} {escape(panel.unit)} "
            f"({bar.low:,.4g} to {bar.high:,.4g})</title></rect>"
        )
        low, high = left + bar.low * scale, left + bar.high * scale
        if high - low >= 1.5:
            parts.append(
                f'<path class="spread" d="M{low:.1f} {middle:.1f}H{high:.1f}'
                f'M{low:.1f} {middle - 3:.1f}v6M{high:.1f} {middle - 3:.1f}v6"/>'
            )
        parts.append(
            text(max(end, high) + 6, middle + 4, number(bar.value) + bar.mark, label.replace("label", "value", 1))
        )
    return parts


def draw(title: str, subtitle: str, panels: list[Panel], columns: int = 2) -> str:
    """The whole picture: panels row by row."""
    columns = max(1, min(columns, len(panels)))
    rows = [panels[index : index + columns] for index in range(0, len(panels), columns)]
    width = 2 * MARGIN + columns * PANEL_WIDTH + (columns - 1) * GAP
    height = HEAD + sum(max(panel.height for panel in row) for row in rows) + MARGIN // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="chart-title">',
        f'<title id="chart-title">{escape(title)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" class="page"/>',
        text(MARGIN, 34, title, "title"),
        text(MARGIN, 54, subtitle, "faint"),
    ]
    y = HEAD
    for row in rows:
        for column, panel in enumerate(row):
            parts += draw_panel(panel, MARGIN + column * (PANEL_WIDTH + GAP), y)
        y += max(panel.height for panel in row)
    return "\n".join([*parts, "</svg>", ""])
