"""One step judged: the model does what the operation says, and everything that can be seen of the system must agree.

A step is judged on what it touched. `Judge.inspect` (in `properties.whole`) looks at the entire state and is called now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from radixproof.impl.system import System
from radixproof.model.cache import Backup, Cache, Inserting
from radixproof.model.config import Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.observation import Observation
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.outcomes import Crashed, Done, Freed, Inserted, Locked, Matched, Outcome, Skipped
from radixproof.model.trie import Page, spell
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.mirror import Delta, Mirror, Placed, Tags

STILL = (Match, Lock, Unlock, RunCopies, WritingCheck)
"""Operations after which every page is where it was (STUTTER)."""


@dataclass(slots=True)
class Step:
    """One operation as it happened: what was done, what came back, and the slots it was served from."""

    operation: Operation
    outcome: Outcome
    slots: Sequence[int] = ()
    """FULL device slots that a match (of `Match`, `Lock`, or an `Insert` that reuses) returned."""


@dataclass(slots=True)
class Foreseen:
    """What the model could tell of a step before it saw the system's choices."""

    insert: Inserting | None = None
    ran: Sequence[Backup] = ()
    """Backups whose bytes moved in this step."""
    served: Page | None = None
    """The last page that a match may serve from the device."""
    choice: bool = False
    """The system had a choice: which victims, which backups. What it chose has to be seen."""


NOTHING = Delta()
"""What a step did that left everything where it was. Never written to."""


class Judge:
    """The model, the ledger and the last sight of one system."""

    def __init__(self, config: Config, dialect: Dialect) -> None:
        self.config = config
        self.dialect = dialect
        self.tags = Tags(config.page_size)
        self._start()

    def _start(self) -> None:
        self.model = Cache(self.config, self.dialect)
        self.mirror = Mirror(self.config, self.model, self.tags)

    def judge(self, step: Step, look: Callable[[], Observation], must_look: bool, system: System) -> list[Breach]:
        """Every breach of this step, the plainest first. Afterwards the model agrees with the system as far as it can.

        The system is looked at if it ``must_look``, or if it had a choice that the model has to follow. Otherwise only the outcome
        and the bytes are judged now, and what the step did to the nodes is judged with the next look.
        """
        if isinstance(step.outcome, Crashed):
            crash = step.outcome
            return [Breach(Property.NOCRASH, f"{crash.error}@{crash.where}", f"{step.operation}: {crash}")]
        if isinstance(step.operation, Reset) and not isinstance(step.outcome, Skipped):
            self._start()
        breaches: list[Breach] = []
        foreseen = self._before(step, breaches)
        if must_look or foreseen.choice:
            breaches += self._look(step, look(), foreseen, system)
        else:
            self._after(step, foreseen.insert, NOTHING, breaches)
        if foreseen.ran:
            breaches += self._copied(foreseen.ran, system)
        if foreseen.served is not None:
            breaches += self._served(step, foreseen.served)
        return breaches

    def _look(self, step: Step, seen: Observation, foreseen: Foreseen, system: System) -> list[Breach]:
        """What an observation shows of everything since the last one."""
        delta = self.mirror.update(seen)
        breaches = delta.breaches
        breaches += self._pinned(step, delta)
        self._after(step, foreseen.insert, delta, breaches)
        breaches += self._residency(step, delta)
        breaches += self._shape(delta)
        breaches += self._locks(delta)
        breaches += self._sizes(seen)
        breaches += self._map(delta, system)
        breaches += self._arrived(delta, system)
        breaches += self._quiet(seen)
        self.model.trie.changed.clear()
        return breaches

    # -- the model's part ------------------------------------------------------------------------------------------------------

    def _before(self, step: Step, breaches: list[Breach]) -> Foreseen:
        """What the model can tell without seeing the system's choices."""
        if isinstance(step.outcome, Skipped):
            return Foreseen()
        match step.operation:
            case Match(key):
                device, best = self.model.match(key)
                _expect(step, Matched(device.end, best.end), breaches)
                return Foreseen(served=device)
            case Lock(receipt, key):
                device = self.model.lock(receipt, key)
                _expect(step, Locked(device.end), breaches)
                return Foreseen(served=device)
            case Unlock(receipt):
                self.model.unlock(receipt)
            case Insert(key, evicted, reuse):
                return self._before_insert(step, key, evicted, reuse, breaches)
            case Evict() | EvictHost():
                return Foreseen(choice=step.outcome not in (Freed(0, 0), Done(0)))
            case RunCopies(count):
                ran = self.model.run_copies(count)
                _expect(step, Done(len(ran)), breaches)
                return Foreseen(ran=ran)
            case WritingCheck(blocking):
                waiting = [backup for backup in self.model.in_flight if blocking and not backup.copied]
                _expect(step, Done(len(self.model.writing_check(blocking))), breaches)
                return Foreseen(ran=waiting)
        return Foreseen()

    def _before_insert(self, step: Step, key: Key, evicted: int, reuse: bool, breaches: list[Breach]) -> Foreseen:
        existing = len(self.model.trie.walk(key)) * self.config.page_size
        served = self.model.match(key)[0] if reuse else None
        protected = served.end if served else 0
        _expect(step, Inserted(existing, protected), breaches)
        if isinstance(step.outcome, Inserted):
            protected = step.outcome.protected
        insert = self.model.insert(key, protected, evicted)
        return Foreseen(insert, served=served, choice=insert.opens)

    def _after(self, step: Step, insert: Inserting | None, delta: Delta, breaches: list[Breach]) -> None:
        """What the model tells from the system's choices: victims, and backups it could start."""
        if isinstance(step.outcome, Skipped):
            return
        match step.operation:
            case Insert():
                assert insert is not None
                self.model.adopt_host_evictions(delta.gone)
                breaches += self.model.finish_insert(insert, delta.gained[Pool.FULL_HOST])
            case Evict(full, swa):
                freed_full, freed_swa, found = self.model.evict(full, swa, delta.gone)
                breaches += found
                _expect(step, Freed(freed_full, freed_swa), breaches)
            case EvictHost(tokens, component):
                freed, found = self.model.evict_host(tokens, component, delta.gone)
                breaches += found
                _expect(step, Done(freed), breaches)

    # -- the system's part -----------------------------------------------------------------------------------------------------

    def _pinned(self, step: Step, delta: Delta) -> list[Breach]:
        """PIN and STUTTER: locked pages and pages in flight keep their slots, and quiet operations move nothing."""
        breaches = []
        for page, pool in delta.moved:
            if page.held(pool.component) and not pool.on_host:
                text = f"{spell([page])} is locked, but its {pool.name} slots were freed and replaced by others"
                witness = Witness(page.key(), pool, kept=True)
                breaches.append(Breach(Property.PIN, f"{pool.name.lower()}-replaced", text, witness))
        for backup in self.model.in_flight:
            for pool in (Pool.FULL_HOST, Pool.SWA_HOST):
                if any(page in delta.gone[pool] or (page, pool) in delta.moved for page in backup.node):
                    text = f"{spell(backup.node)} is being backed up, but its {pool.name} slots were freed"
                    breaches.append(Breach(Property.PIN, "target-freed", text))
        if isinstance(step.operation, STILL) and not delta.still:
            breaches.append(Breach(Property.STUTTER, step.operation.name, f"{step.operation} changed what is held where"))
        return breaches

    def _residency(self, step: Step, delta: Delta) -> list[Breach]:
        """The pages the step touched are held where the model says. Where they are not, the model gives in."""
        differ = [page for placed in delta.placed for page in placed.pages if page.held_in != placed.held_in]
        differ += [page for page in self.model.trie.changed if page.held_in != self.mirror.held_in(page)]
        differ += [page for gone in delta.gone for page in gone if page.held_in != self.mirror.held_in(page)]
        if not differ:
            return []
        wrong: dict[tuple[Pool, bool], list[Page]] = {}
        for page in dict.fromkeys(differ):
            there = self.mirror.held_in(page)
            for pool in self.config.pools:
                if there[pool] != page.has(pool):
                    wrong.setdefault((pool, page.has(pool)), []).append(page)
        breaches = [_misplaced(step, pool, expected, pages) for (pool, expected), pages in sorted(wrong.items())]
        for page in dict.fromkeys(differ):
            self._give_in(page)
        return breaches

    def _give_in(self, page: Page) -> None:
        there = self.mirror.held_in(page)
        for pool in self.config.pools:
            if there[pool]:
                self.model.trie.put(page, pool)
            else:
                self.model.trie.drop(page, pool)
        if not any(there):
            while page.parent is not None and not page.children and not any(page.held_in) and not page.locked:
                above = page.parent
                if above.children.get(page.tokens) is page:
                    self.model.trie.remove(page)
                page = above
        elif page not in self.model.trie.order:
            self.model.trie.touch([page])

    def _shape(self, delta: Delta) -> list[Breach]:
        """DEVPATH and BACKUP around every node that the step reshaped, as the system shows them."""
        breaches = []
        for placed in delta.reshaped:
            full, _, host, _ = placed.view.slots
            if full is None and host is None:
                breaches.append(Breach(Property.DEVPATH, "dead-node", f"{spell(placed.pages)} is on neither tier"))
            above = self.mirror.nodes.get(placed.view.parent)
            if above is not None:
                breaches += _orphan(above, placed)
            for page in placed.pages[-1].children.values():
                if page in self.mirror.node_of:
                    breaches += _orphan(placed, self.mirror.nodes[self.mirror.node_of[page]])
        return breaches

    def _locks(self, delta: Delta) -> list[Breach]:
        """LOCK: every page the step touched is locked by exactly the receipts and backups that the model knows."""
        node_of = self.mirror.node_of
        nodes = {placed.view.id: placed for placed in delta.placed}
        for page in self.model.trie.changed:
            if page in node_of and node_of[page] not in nodes:
                nodes[node_of[page]] = self.mirror.nodes[node_of[page]]
        for placed in nodes.values():
            full, swa = placed.view.locks
            for page in placed.pages:
                if len(page.holders[0]) != full or len(page.holders[1]) != swa:
                    return [self._wrong_lock(page, placed.view.locks)]
        return []

    def _wrong_lock(self, page: Page, seen: tuple[int, int]) -> Breach:
        component = next(component for component in self.config.components if len(page.holders[component]) != seen[component])
        names = page.holders[component]
        held = f"held by {', '.join(sorted(names))}" if names else "not held by anyone"
        text = f"{spell([page])} is {held}, but its {component.name} lock count is {seen[component]}"
        kind = "too-many" if seen[component] > len(names) else "too-few"
        return Breach(
            Property.LOCK, f"{component.name.lower()}-{kind}", text, Witness(page.key(), Pool(component), locks=len(names))
        )

    def _sizes(self, seen: Observation) -> list[Breach]:
        """SIZE, and the countable half of OWN and OWN-H: free and owned slots add up to the pool."""
        breaches = []
        mirror = self.mirror
        for component in self.config.components:
            shown = (seen.evictable[component], seen.protected[component])
            actual = (mirror.unlocked[component], mirror.locked[component])
            if shown != actual:
                text = (
                    f"{component.name}: the cache says {shown[0]} evictable and {shown[1]} protected tokens, "
                    f"its nodes hold {actual[0]} unlocked and {actual[1]} locked"
                )
                breaches.append(Breach(Property.SIZE, component.name.lower(), text))
        for pool in self.config.pools:
            owned, free, total = len(mirror.owned[pool]), seen.free[pool], self.config.slots(pool)
            if owned + free != total:
                kind = Property.OWN_H if pool.on_host else Property.OWN
                rule = "lost" if owned + free < total else "too-many"
                text = f"{pool.name}: {owned} slots are owned by nodes and {free} are free, of {total}"
                breaches.append(Breach(kind, f"{pool.name.lower()}-{rule}", text))
        return breaches

    def _map(self, delta: Delta, system: System) -> list[Breach]:
        """MAP: the map names the SWA slots of every node the step touched, and nothing for a tombstone."""
        if self.config.window is None:
            return []
        full: list[int] = []
        expected: list[int] = []
        for placed in delta.reshaped:
            slots = placed.view.slots[Pool.FULL]
            if slots is not None:
                full += slots
                expected += placed.view.slots[Pool.SWA] or (0,) * len(slots)
        found = system.swa_of(full) if full else []
        if found == expected:
            return []
        slot, wanted, seen = next(item for item in zip(full, expected, found, strict=True) if item[1] != item[2])
        what = f"SWA slot {wanted}" if wanted else "no SWA state"
        text = f"FULL slot {slot} belongs to a node with {what}, but the map says {seen or 'none'}"
        return [Breach(Property.MAP, "entry" if wanted else "stale", text)]

    # -- content ---------------------------------------------------------------------------------------------------------------

    def _arrived(self, delta: Delta, system: System) -> list[Breach]:
        """CONTENT of what came to the device in this step."""
        breaches = []
        for pool in self.config.pools:
            if not pool.on_host and (delta.gained[pool] or delta.moved):
                pages = [*delta.gained[pool], *(page for page, moved in delta.moved if moved is pool)]
                breaches += self.compare_content(pool, pages, system)
        return breaches

    def _copied(self, ran: Sequence[Backup], system: System) -> list[Breach]:
        """CONTENT of the host copies whose bytes moved in this step."""
        pages = [page for backup in ran for page in backup.node]
        return [breach for pool in self.config.pools if pool.on_host for breach in self.compare_content(pool, pages, system)]

    def _served(self, step: Step, end: Page) -> list[Breach]:
        """CONTENT of what a match serves: the slots of the nodes on its path, whose bytes are known."""
        if list(step.slots) == self.mirror.path_slots(end, Pool.FULL):
            return []
        text = f"{step.operation} was served slots {list(step.slots)}, which are not those of the nodes on its path"
        return [Breach(Property.CONTENT, "served", text)]

    def compare_content(self, pool: Pool, pages: Iterable[Page], system: System) -> list[Breach]:
        """Compare the bytes of pages in one pool with what they must be."""
        size = self.config.page_size
        slots: list[int] = []
        tags: list[int] = []
        for page in pages:
            node = self.mirror.node_of.get(page)
            if node is not None:
                placed = self.mirror.nodes[node]
                held, at = placed.view.slots[pool], page.end - placed.pages[0].end
                if held is not None:
                    slots += held[at : at + size]
                    tags += placed.tags[at : at + size]
        return _wrong_bytes(pool, slots, tags, system)

    def _quiet(self, seen: Observation) -> list[Breach]:
        """QUIESCE: with no receipt out and no copy in flight, nothing is protected."""
        if not self.model.receipts and any(seen.protected):
            return [Breach(Property.QUIESCE, "protected", f"nothing holds a lock, but protected sizes are {seen.protected}")]
        return []


def _expect(step: Step, expected: Outcome, breaches: list[Breach]) -> None:
    if step.outcome == expected:
        return
    kinds = {
        Matched: Property.MATCH,
        Inserted: Property.MATCH,
        Locked: Property.MATCH,
        Freed: Property.SIZE,
        Done: Property.PROGRESS,
    }
    text = f"{step.operation}: expected {expected}, got {step.outcome}"
    breaches.append(Breach(kinds[type(expected)], f"{step.operation.name}-outcome", text))


def _orphan(above: Placed, below: Placed) -> Iterator[Breach]:
    for pool, broken in ((Pool.FULL, Property.DEVPATH), (Pool.FULL_HOST, Property.BACKUP)):
        if below.view.slots[pool] is not None and above.view.slots[pool] is None:
            yield Breach(
                broken, "parent-missing", f"{spell(below.pages)} is in {pool.name}, its parent {spell(above.pages)} is not"
            )


def _misplaced(step: Step, pool: Pool, expected: bool, pages: list[Page]) -> Breach:
    """A difference between model and system, named by what it means for the one who relies on the cache."""
    held = [page for page in pages if page.held(pool.component)] if expected and not pool.on_host else []
    page = (held or pages)[0]
    rule = "lost" if expected else "unexpected"
    if held:
        violates, rule = Property.PIN, "evicted"
        text = f"{spell([page])} is locked, but {step.operation} took it from {pool.name}"
    elif expected:
        inserting = isinstance(step.operation, Insert) and not pool.on_host
        violates, rule = (Property.MATCH, "not-inserted") if inserting else (Property.PROGRESS, "lost")
        text = f"after {step.operation}, {spell([page])} should be in {pool.name} and is not"
    else:
        violates = Property.BACKUP if pool.on_host else Property.MATCH
        text = f"after {step.operation}, {spell([page])} is in {pool.name} and should not be"
    return Breach(violates, f"{pool.name.lower()}-{rule}", text, Witness(page.key(), pool, held=expected))


def _wrong_bytes(pool: Pool, slots: list[int], tags: list[int], system: System) -> list[Breach]:
    found = system.read(pool, slots) if slots else []
    if found == tags:
        return []
    slot, tag, seen = next(item for item in zip(slots, tags, found, strict=True) if item[1] != item[2])
    what = "torn (layers or heads disagree)" if seen < 0 else f"the content of prefix {seen}"
    text = f"{pool.name} slot {slot} should hold the content of prefix {tag}, it holds {what}"
    return [Breach(Property.CONTENT, pool.name.lower(), text)]
