"""The exploration of a small scope, breadth first: every history of one length before any of the
next, so that what is found first is a shortest one.

It is done in several processes and goes the same way in any number of them: what they have found
is taken in the order of the states, and not in that in which it comes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from radixproof.impl.system import Unavailable
from radixproof.model.verdict import Breach, Property
from radixproof.properties.exploring.expanding import Broken, Expanded, Path, history_of
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.exploring.working import Chunk, Found, Job, Wrong
from radixproof.properties.workers.lane import Done, Event, Failed
from radixproof.properties.workers.pool import Pool

CHUNK = 32
"""Most states that a process expands at a time."""
MOST_STATES = 2_000_000
"""Some 200 bytes each."""


@dataclass(slots=True)
class Explored:
    """How far an exploration has come."""

    scope: SmallScope
    depth: int
    """All histories of up to so many operations are judged."""
    states: int = 1
    """That differ, the empty cache included."""
    transitions: int = 0
    possible: set[int] = field(default_factory=set)
    """Operations that were possible somewhere, by number."""
    cut_off: Counter[str] = field(default_factory=Counter)
    """How often something known has ended a history, by signature."""
    milestones: Counter[str] = field(default_factory=Counter)
    otherwise: int = 0
    """Transitions that the model by itself would have made otherwise than the system did."""
    found: Found | None = None
    """What is wrong, if anything is."""
    exhausted: bool = False
    """No history of this depth leads anywhere new, so that longer ones do not either."""

    @property
    def never(self) -> list[str]:
        """The kinds of operations of which none was ever possible."""
        possible = {self.scope.operations[number].name for number in self.possible}
        every = dict.fromkeys(one.name for one in self.scope.operations)
        return [name for name in every if name not in possible]


class TooManyStates(Exception):
    """There are more states than there is memory for. Says how many."""


def explore(
    system: str,
    scope: SmallScope,
    depth: int,
    pool: Pool,
    known: frozenset[str] = frozenset(),
    before: Iterable[Expanded] = (),
    folder: str = "findings",
    most: int = MOST_STATES,
) -> Generator[Expanded | Explored, None, None]:
    """Explore a scope to a depth, or to the first thing that is wrong.

    Yields each state that is expanded, and how far this has come after each length of histories;
    ``before`` is what an earlier exploration has yielded of the former, in order. A finding is to
    lie below ``folder``. Raises `TooManyStates`; `Unavailable` if the system cannot be explored.
    """
    explored, reached = Explored(scope, 0), Reached(most)
    earlier = {one.path: one for one in before}
    job = Job(system, scope, known)
    while explored.depth < depth and not (explored.exhausted or explored.found):
        level = reached.next_level()
        chunks = _chunks(job, [path for path in level if path not in earlier], pool.jobs)
        wrong: list[Broken] = []
        with closing(_expanded(pool, chunks)) as fresh:
            for path in level:
                expanded = earlier[path] if path in earlier else next(fresh)
                reached.compare(scope, expanded)
                wrong = expanded.broken
                if wrong:
                    break
                _take(expanded, explored, reached)
                if path not in earlier:
                    yield expanded
        if wrong:
            explored.found = _in_words(pool, job, wrong, explored.transitions, folder)
        else:
            explored.depth += 1
            explored.exhausted = not reached.level
        yield explored


class Reached:
    """The states so far, and the shortest histories to those that have not been expanded."""

    def __init__(self, most: int = MOST_STATES) -> None:
        self.most = most
        self.level: list[Path] = [b""]
        """To be expanded next."""
        self.keys: dict[bytes, Path] = {}
        """Of all states, each with the history that led there first."""

    def next_level(self) -> list[Path]:
        """The histories of the greatest length so far that lead to something new."""
        level, self.level = self.level, []
        return level

    def compare(self, scope: SmallScope, expanded: Expanded) -> None:
        """A history that leads to another state than it led to before is wrong, too."""
        path = expanded.path
        if path and self.keys.get(expanded.key) != path:
            expanded.broken.append(_elsewhere(scope, path))

    def note(self, expanded: Expanded) -> None:
        """Note where the transitions from a state lead to."""
        if not expanded.path:
            self.keys[expanded.key] = b""
        for number, key in expanded.moves:
            self._take(expanded.path + bytes([number]), key)

    def _take(self, path: Path, key: bytes) -> None:
        if key in self.keys:
            return
        if len(self.keys) >= self.most:
            raise TooManyStates(f"there are more than {self.most:,} states")
        self.keys[key] = path
        self.level.append(path)


def _take(expanded: Expanded, explored: Explored, reached: Reached) -> None:
    """Take in what came of one state."""
    reached.note(expanded)
    explored.states = len(reached.keys)
    explored.transitions += len(expanded.moves)
    explored.possible.update(expanded.possible)
    explored.cut_off += expanded.cut_off
    explored.milestones += expanded.milestones
    explored.otherwise += len(expanded.otherwise)


def _elsewhere(scope: SmallScope, path: Path) -> Broken:
    """What is wrong with a history that has led to another state when it was run again."""
    history = history_of(scope, path)
    last = history.operations[-1]
    text = f"step {len(history.operations)}, {last}: the same operations lead to another state"
    return Broken(history, Breach(Property.REPEAT, last.name, text))


def _chunks(job: Job, level: Sequence[Path], jobs: int) -> list[Chunk]:
    """The states of a level, in order, a few at a time."""
    size = max(1, min(CHUNK, len(level) // (4 * jobs)))
    starts = range(0, len(level), size)
    return [Chunk(job.system, job.scope, job.known, tuple(level[at : at + size])) for at in starts]


def _expanded(pool: Pool, chunks: Sequence[Chunk]) -> Generator[Expanded, None, None]:
    """What came of the states of chunks, in their order, whichever comes first.

    A chunk that the system ends in is done once more, a state at a time: so all that comes before
    is judged first, in any number of processes. Raises `Unavailable` at the one that it ends in.
    """
    ready: dict[Path, list[Expanded] | None] = {}
    left = deque(chunks)
    with closing(pool.run(chunks)) as events:
        while left:
            chunk = left.popleft()
            while chunk.paths[0] not in ready:
                event = next(events)
                if isinstance(event, Done | Failed):
                    ready[event.job.paths[0]] = event.result if isinstance(event, Done) else None
            states = ready.pop(chunk.paths[0])
            if states is None:
                break
            yield from states
        else:
            return
    yield from _one_by_one(pool, chunk)
    yield from _expanded(pool, list(left))


def _one_by_one(pool: Pool, chunk: Chunk) -> Iterator[Expanded]:
    """What came of the states of a chunk, in their order. Raises `Unavailable`."""
    for path in chunk.paths:
        ((_, states),) = _results(pool.run([replace(chunk, paths=(path,))]))
        yield from states


def _in_words(pool: Pool, job: Job, wrong: Sequence[Broken], at_step: int, folder: str) -> Found:
    """What is wrong, by the shortest of several histories."""
    shortest = min(wrong, key=lambda one: len(one.history.operations))
    told = Wrong(job.system, job.scope, job.known, shortest, at_step, folder)
    ((_, found),) = _results(pool.run([told]))
    assert isinstance(found, Found)
    return found


def _results(events: Iterable[Event]) -> Iterator[tuple[Any, Any]]:
    """Jobs with their results, as they come. Raises `Unavailable` if one has none."""
    for event in events:
        if isinstance(event, Failed):
            raise Unavailable(event.reason)
        if isinstance(event, Done):
            yield event.job, event.result
