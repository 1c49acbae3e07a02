"""A chart as an SVG file, without any library: how many bugs were found after how many steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 60, 150, 40, 50
COLOURS = ("#777777", "#1b6ca8", "#d1495b", "#2e933c", "#b8860b", "#6a4c93")


def chart(title: str, found: Mapping[str, Sequence[float]], most: int, budget: int) -> str:
    """One rising line for each name: it rises by one at each of its numbers in ``found``.

    Steps go to ``budget``, as logarithms.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *_axes(most, budget),
    ]
    for at, (name, places) in enumerate(found.items()):
        colour, last = COLOURS[at % len(COLOURS)], _y(len(places), most)
        parts.append(
            f'<path d="{_rising(sorted(places), most, budget)}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        parts.append(f'<circle cx="{WIDTH - RIGHT:.1f}" cy="{last:.1f}" r="3" fill="{colour}"/>')
        parts.append(
            f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 16 * at + 10}" fill="{colour}">'
            f"{escape(name)}: {len(places)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(step: float, budget: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(max(1.0, step)) / math.log10(max(10, budget))


def _y(count: float, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / max(1, most)


def _rising(places: Sequence[float], most: int, budget: int) -> str:
    path = f"M{_x(1, budget):.1f} {_y(0, most):.1f}"
    for count, place in enumerate(places, 1):
        path += f"H{_x(place, budget):.1f}V{_y(count, most):.1f}"
    return path + f"H{_x(budget, budget):.1f}"


def _axes(most: int, budget: int) -> list[str]:
    """Lines at powers of ten of steps, and at quarters of all bugs."""
    parts, bottom, right = [], HEIGHT - BOTTOM, WIDTH - RIGHT
    for power in range(int(math.log10(max(10, budget))) + 1):
        x = _x(10**power, budget)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#dddddd"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>'
        )
    for count in sorted({round(most * quarter / 4) for quarter in range(5)}):
        y = _y(count, most)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{count}</text>')
    parts.append(
        f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">steps</text>'
    )
    return parts
