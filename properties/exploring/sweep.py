"""All scopes together in one process: the shortest histories of each before longer ones of any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from radixproof.impl.system import Target
from radixproof.properties.exploring.expanding import Expanded, expand, history_of
from radixproof.properties.exploring.explorer import Reached
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.running.judged import JudgedHistory


def sweep(target: Target, scopes: Iterable[SmallScope]) -> Iterator[JudgedHistory]:
    """Every history that is judged, scope by scope and length by length, up to the depths that the
    scopes have.
    """
    for scope, expanded in by_length(target, scopes):
        yield from _judged(scope, expanded)


def by_length(
    target: Target, scopes: Iterable[SmallScope]
) -> Iterator[tuple[SmallScope, Expanded]]:
    """Every state that is expanded, with its scope: for the shortest histories of all scopes first.

    Scopes that the system cannot be built for are left out.
    """
    reached = {scope: Reached() for scope in scopes if not target.scope.refuses(scope.config)}
    for length in range(max((scope.depth for scope in reached), default=0)):
        for scope, states in reached.items():
            if length < scope.depth:
                for expanded in longer(target, scope, states):
                    yield scope, expanded


def longer(target: Target, scope: SmallScope, reached: Reached) -> Iterator[Expanded]:
    """The states that have been reached are expanded, for histories one operation longer."""
    for path in reached.next_level():
        expanded = expand(target, scope, path, lambda _: False)
        reached.compare(scope, expanded)
        reached.note(expanded)
        yield expanded


def _judged(scope: SmallScope, expanded: Expanded) -> Iterator[JudgedHistory]:
    for history, breach in expanded.broken:
        yield JudgedHistory(history, breach, Counter(), Counter())
    for number, _ in expanded.moves:
        history = history_of(scope, expanded.path + bytes([number]))
        yield JudgedHistory(history, None, Counter(), Counter())
