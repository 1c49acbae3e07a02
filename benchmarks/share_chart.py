"""A chart as an SVG file: shares over sizes, one line for each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log2

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 60, 300, 40, 50
COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#b8860b", "#6a4c93", "#777777", "#00838f", "#bf360c")
GRID = 'stroke="#dddddd"'


def share_chart(title: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Points are pairs of bytes, which go as logarithms, and a share from 0 to 1."""
    sizes = sorted({size for curve in curves.values() for size, _ in curve})
    least, most = (log2(sizes[at]) for at in (0, -1))

    def x(size: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log2(size) - least) / max(1.0, most - least)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, 1.0)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for size in sizes:
        parts.append(f'<path d="M{x(size):.1f} {TOP}V{HEIGHT - BOTTOM}" {GRID}/>')
        parts.append(_text(x(size), HEIGHT - BOTTOM + 18, _bytes(size), "middle"))
    for quarter in range(5):
        parts.append(f'<path d="M{LEFT} {y(quarter / 4):.1f}H{WIDTH - RIGHT}" {GRID}/>')
        parts.append(_text(LEFT - 8, y(quarter / 4) + 4, f"{quarter / 4:.0%}", "end"))
    for at, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[at % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(share):.1f}" for size, share in sorted(curve))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        label = TOP + 16 * at + 10
        parts.append(_text(WIDTH - RIGHT + 12, label, escape(name), "start", colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str, colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def _bytes(size: float) -> str:
    """A power of two, with the largest unit that it has."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << power:
            return f"{size / (1 << power):g} {unit}"
    return f"{size:g} B"
