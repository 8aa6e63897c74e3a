"""Draws horizontal bar charts as SVG text.

A chart is a list of groups (a phase each) of bars; a bar has a length, the ends of its whisker and a label.
"""

import dataclasses
from xml.sax.saxutils import escape

# Colours that differ in lightness too, for readers who see few hues.
COLORS = {
    "seerdb": "#d1495b",
    "seerdb-floor": "#e5a3ac",
    "rocksdb": "#1f4e79",
    "rocksdb-default": "#8fb3d9",
    "leveldb": "#6a994e",
    "lmdb": "#edae49",
    "wiredtiger": "#7d5ba6",
}
FONT = 'font-family="sans-serif" font-size="12"'
LEFT, WIDTH, BAR, GAP, TOP = 130, 860, 13, 12, 64
LABEL_ROOM = 150


@dataclasses.dataclass
class Bar:
    series: str
    length: float
    low: float
    high: float
    label: str


def _ticks(limit):
    step = 1.0
    while limit / step > 10:
        step *= 2 if str(step)[0] in "15" else 2.5
    count = int(limit / step)
    return [step * i for i in range(count + 1)]


def _axis(limit, x, bottom):
    parts = []
    for tick in _ticks(limit):
        color = "#444" if tick == 1.0 else "#ddd"
        at = f"{x(tick):.1f}"
        parts.append(f'<line x1="{at}" y1="{TOP - 6}" x2="{at}" y2="{bottom}" stroke="{color}"/>')
        parts.append(f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" {FONT}>{tick:g}</text>')
    return parts


def _bar(bar, y, x, colors):
    middle = y + BAR / 2 - 0.5
    return [
        f'<rect x="{LEFT}" y="{y}" width="{max(x(bar.length) - LEFT, 0.5):.1f}" height="{BAR - 1}" '
        f'fill="{colors.get(bar.series, "#999")}"/>',
        f'<line x1="{x(bar.low):.1f}" y1="{middle}" x2="{x(bar.high):.1f}" y2="{middle}" stroke="#000"/>',
        f'<text x="{max(x(bar.length), x(bar.high)) + 4:.1f}" y="{y + BAR - 3}" font-family="sans-serif" '
        f'font-size="10">{escape(bar.label)}</text>',
    ]


def bar_chart(title, axis_label, groups, colors=None):
    """SVG text. groups: [(name, [Bar])], drawn from the top. colors: {series: colour}; default those of engines."""
    colors = colors or COLORS
    bars = [bar for _, group in groups for bar in group]
    limit = max([1.0] + [max(bar.length, bar.high) for bar in bars]) * 1.02
    scale = (WIDTH - LEFT - LABEL_ROOM) / limit

    def x(value):
        return LEFT + value * scale

    bottom = TOP + sum(len(group) * BAR + GAP for _, group in groups)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 42}" '
        f'viewBox="0 0 {WIDTH} {bottom + 42}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-family="sans-serif" font-size="15" font-weight="bold">'
        f'{escape(title)}</text>',
    ]
    at = LEFT
    for series in dict.fromkeys(bar.series for bar in bars):
        parts.append(f'<rect x="{at}" y="32" width="11" height="11" fill="{colors.get(series, "#999")}"/>')
        parts.append(f'<text x="{at + 15}" y="42" {FONT}>{escape(series)}</text>')
        at += 28 + 8 * len(series)
    parts += _axis(limit, x, bottom)
    y = TOP
    for name, group in groups:
        parts.append(f'<text x="{LEFT - 8}" y="{y + len(group) * BAR / 2 + 4}" text-anchor="end" {FONT}>'
                     f'{escape(name)}</text>')
        for bar in group:
            parts += _bar(bar, y, x, colors)
            y += BAR
        y += GAP
    parts.append(f'<text x="{LEFT}" y="{bottom + 34}" {FONT}>{escape(axis_label)}</text>')
    return "\n".join(parts + ["</svg>", ""])
