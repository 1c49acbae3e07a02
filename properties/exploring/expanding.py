"""One state of an exploration expanded: every operation that is possible there, performed and
judged, each on a cache of its own that has come there by the same history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from radixproof.impl.operations import History, Operation
from radixproof.impl.premises import premise
from radixproof.impl.system import Target
from radixproof.model.key import Key
from radixproof.model.specification.trie import Page, Trie
from radixproof.model.verdict import Breach
from radixproof.properties.coverage.watcher import Watcher
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.exploring.state_key import are_names_known, state_key
from radixproof.properties.exploring.strictly import Strictly
from radixproof.properties.generating.endings import Drain
from radixproof.properties.generating.endings import closing as drained
from radixproof.properties.performing.outcomes import Skipped
from radixproof.properties.running.run import Run, ends, first_unknown

Path = bytes
"""The numbers of a history's operations in the alphabet of its scope."""


class Broken(NamedTuple):
    """A history that ends with a breach, as it was judged."""

    history: History
    breach: Breach


@dataclass(slots=True)
class Expanded:
    """What came of one state."""

    path: Path
    key: bytes = b""
    """Of the state itself."""
    possible: list[int] = field(default_factory=list)
    """The numbers of the operations whose premises hold."""
    moves: list[tuple[int, bytes]] = field(default_factory=list)
    """The operations that were performed, by number, each with the key of the state behind it."""
    cut_off: Counter[str] = field(default_factory=Counter)
    """Known breaches that end a history, by signature."""
    broken: list[Broken] = field(default_factory=list)
    """What is new; the end of a history first."""
    milestones: Counter[str] = field(default_factory=Counter)
    otherwise: list[int] = field(default_factory=list)
    """The operations that the model by itself would have done otherwise than the system did."""


def expand(target: Target, scope: SmallScope, path: Path, known: Callable[[str], bool]) -> Expanded:
    """The transitions from the state that a clean history of a scope leads to."""
    expanded, watcher = Expanded(path), Watcher()
    with _reached(target, scope, path, watcher) as run:
        run.finish()
        expanded.key = state_key(run, not scope.symmetric)
        expanded.possible = _possible(scope, run)
        for number in expanded.possible:
            seen = _branch(watcher)
            seen.before(run.judge.model, scope.operations[number])
            expanded.milestones.update(one.name for one in seen.counts)
        _close(run, scope, path, known, expanded)
    for number in expanded.possible:
        _step(target, scope, number, known, expanded)
    return expanded


@contextmanager
def _reached(
    target: Target, scope: SmallScope, path: Path, watcher: Watcher | None = None
) -> Iterator[Run]:
    """A run that has come so far. It was looked at on the way when it came there first, and is now
    only as in a search.
    """
    with closing(Run(target, scope.config)) as run:
        for operation in history_of(scope, path).operations:
            if watcher is not None:
                watcher.before(run.judge.model, operation)
            run.step(operation)
        yield run


def _branch(watcher: Watcher) -> Watcher:
    """One that has seen the same, and goes on by itself."""
    branch = Watcher()
    vars(branch).update({name: copy(value) for name, value in vars(watcher).items()})
    branch.counts.clear()
    return branch


def history_of(scope: SmallScope, path: Path) -> History:
    done = (operation for number in path for operation in scope.done_by(number))
    return History(scope.config, tuple(done))


def _step(
    target: Target,
    scope: SmallScope,
    number: int,
    known: Callable[[str], bool],
    expanded: Expanded,
) -> None:
    """One transition. None, if there was no room and nothing has changed."""
    done = list(history_of(scope, expanded.path).operations)
    agrees = True
    with _reached(target, scope, expanded.path) as run:
        for operation in scope.done_by(number):
            strictly = Strictly(run, operation)
            done.append(operation)
            breaches = run.step(operation, whole=True)
            if breaches:
                _note(breaches, known, History(scope.config, tuple(done)), expanded)
                return
            agrees = agrees and strictly.agrees()
            skipped = isinstance(run.steps[-1].outcome, Skipped)
            if skipped:
                break
        key = state_key(run, not scope.symmetric)
        if skipped and key == expanded.key:
            return
        expanded.moves.append((number, key))
        if not agrees:
            expanded.otherwise.append(number)


def _close(
    run: Run, scope: SmallScope, path: Path, known: Callable[[str], bool], expanded: Expanded
) -> None:
    """Release everything, drain all copies and evict both tiers: nothing may be left (17.5)."""
    done = list(history_of(scope, path).operations)
    for operation in drained(run.judge, Drain.BY_PAGES):
        done.append(operation)
        breaches = run.step(operation)
        if breaches:
            _note(breaches, known, History(scope.config, tuple(done)), expanded)
        if any(map(ends, breaches)) or expanded.broken:
            return


def _note(
    breaches: list[Breach], known: Callable[[str], bool], history: History, expanded: Expanded
) -> None:
    """What is wrong with a history: something new, or something known that ends it."""
    unknown = first_unknown(breaches, known)
    if unknown is None:
        expanded.cut_off[breaches[0].signature] += 1
    else:
        expanded.broken.append(Broken(history, unknown))


# -- what is possible ------------------------------------------------------------------------------


def _possible(scope: SmallScope, run: Run) -> list[int]:
    """The numbers of the operations whose premises hold; of those that differ in nothing but the
    names of pages that are not there, the first.
    """
    ledger, model = run.ledger, run.judge.model
    free = scope.symmetric and not are_names_known(run)
    seen: set[object] = set()
    possible = []
    for number, operation in enumerate(scope.operations):
        if premise(operation, ledger, run.config, run.scope) is not None:
            continue
        alike = _alike(operation, model.trie) if free else operation
        if alike not in seen:
            seen.add(alike)
            possible.append(number)
    return possible


def _alike(operation: Operation, trie: Trie) -> object:
    """An operation without the names of the pages of its prompt that are not there."""
    key = getattr(operation, "key", None)
    if not isinstance(key, Key):
        return operation
    others = (getattr(operation, one.name) for one in fields(operation) if one.name != "key")
    return type(operation), key.namespace, len(key.tokens), *_there(key, trie), *others


def _there(key: Key, trie: Trie) -> Iterator[object]:
    """The pages of a key that the tree has a place for, and nothing for each of the others."""
    size, units = trie.config.page_size, trie.units(key)
    here: Page | None = trie.roots.get(key.namespace)
    for start in range(0, len(units), size):
        page = units[start : start + size]
        here = None if here is None else here.children.get(page)
        yield None if here is None else page
