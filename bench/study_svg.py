"""Draws what a lookup takes against what an index takes, as SVG text."""

import dataclasses
import math
from xml.sax.saxutils import escape

# By whether the kind is learned; they differ in lightness too, for readers who see few hues.
COLORS = {True: "#d1495b", False: "#1f4e79"}
FONT = 'font-family="sans-serif" font-size="12"'
PANEL, HEIGHT, LEFT, TOP, GAP, LEGEND = 300, 300, 60, 60, 50, 250


@dataclasses.dataclass
class Point:
    name: str
    learned: bool
    bits: float
    # Quartiles.
    low: float
    middle: float
    high: float


def _step(limit, ticks=6):
    """The least of 1, 2 and 5 times a power of ten that needs at most so many ticks."""
    step = 10 ** math.floor(math.log10(max(limit, 1e-9) / ticks))
    return next(step * factor for factor in (1, 2, 5, 10) if limit / (step * factor) <= ticks)


def _position(bits):
    # No memory has a place too, and few bits are told apart.
    return math.log2(1 + bits)


def _panel(title, points, numbers, left, most_bits):
    limit = max(point.high for point in points) * 1.05

    def x(bits):
        return left + _position(bits) / _position(most_bits) * PANEL

    def y(ns):
        return TOP + HEIGHT - ns / limit * HEIGHT

    parts = [f'<text x="{left}" y="{TOP - 12}" font-weight="bold" {FONT}>{escape(title)}</text>']
    step = _step(limit)
    for i in range(int(limit / step) + 1):
        at = f"{y(i * step):.1f}"
        parts.append(f'<line x1="{left}" y1="{at}" x2="{left + PANEL}" y2="{at}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(i * step) + 4:.1f}" text-anchor="end" {FONT}>{i * step:g}</text>')
    for bits in [bits for bits in (0, 1, 2, 4, 8, 16, 32, 64, 128) if bits <= most_bits]:
        at = f"{x(bits):.1f}"
        parts.append(f'<line x1="{at}" y1="{TOP}" x2="{at}" y2="{TOP + HEIGHT}" stroke="#eee"/>')
        parts.append(f'<text x="{at}" y="{TOP + HEIGHT + 16}" text-anchor="middle" {FONT}>{bits}</text>')
    for point in points:
        at, color = f"{x(point.bits):.1f}", COLORS[point.learned]
        parts.append(f'<line x1="{at}" y1="{y(point.low):.1f}" x2="{at}" y2="{y(point.high):.1f}" stroke="{color}"/>')
        parts.append(f'<circle cx="{at}" cy="{y(point.middle):.1f}" r="4" fill="{color}"/>')
        parts.append(f'<text x="{x(point.bits) + 6:.1f}" y="{y(point.middle) - 4:.1f}" font-family="sans-serif" '
                     f'font-size="10">{numbers[point.name]}</text>')
    return parts


def scatter(title, axes, panels):
    """SVG text. axes: (below, beside); panels: [(title, [Point])], none of them without points."""
    points = [point for _, group in panels for point in group]
    names = {point.name: point.learned for point in points}
    numbers = {name: number for number, name in enumerate(names, 1)}
    most_bits = max(1.0, max(point.bits for point in points)) * 1.1
    width = LEFT + len(panels) * (PANEL + GAP) + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 48}" '
        f'viewBox="0 0 {width} {TOP + HEIGHT + 48}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-family="sans-serif" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT}" y="{TOP + HEIGHT + 36}" {FONT}>{escape(axes[0])}</text>',
        f'<text transform="translate(14 {TOP + HEIGHT}) rotate(-90)" {FONT}>{escape(axes[1])}</text>',
    ]
    for i, (name, group) in enumerate(panels):
        parts += _panel(name, group, numbers, LEFT + i * (PANEL + GAP), most_bits)
    at = LEFT + len(panels) * (PANEL + GAP)
    for name, learned in names.items():
        y = TOP + 16 * numbers[name]
        parts.append(f'<circle cx="{at}" cy="{y - 4}" r="4" fill="{COLORS[learned]}"/>')
        parts.append(f'<text x="{at + 10}" y="{y}" {FONT}>{numbers[name]} {escape(name)}</text>')
    return "\n".join(parts + ["</svg>", ""])
