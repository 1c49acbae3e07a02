"""One step judged: the model does what the operation says, and everything that can be seen of the system must agree.

A step is judged on what it touched (`properties.checks`). `properties.inspect` looks at the entire state, now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.outcomes import Crashed, Done, Freed, Inserted, Locked, Matched, Outcome, Skipped
from radixproof.model.trie import Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties import checks
from radixproof.properties.mirror import Delta, Mirror, Tags
from radixproof.properties.step import Step


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


UNREMARKABLE = Foreseen()

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
        self.gave_in = False
        """The model has adopted what it should not have had to: from then on its order of use is not the system's."""
        self.gave_in = False

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
        if step.refused:
            breaches += checks.refused(self.model, step)
        if must_look or foreseen.choice:
            breaches += self._look(step, look(), foreseen, system)
        elif foreseen.insert is not None or isinstance(step.operation, Evict | EvictHost):
            self._after(step, foreseen.insert, NOTHING, breaches)
        if foreseen.ran:
            breaches += checks.copied(self.mirror, foreseen.ran, system)
        if foreseen.served is not None:
            breaches += checks.served(self.mirror, step, foreseen.served)
        return breaches

    def _look(self, step: Step, seen: Observation, foreseen: Foreseen, system: System) -> list[Breach]:
        """What an observation shows of everything since the last one."""
        delta = self.mirror.update(seen)
        breaches = delta.breaches
        breaches += checks.pinned(self.model, step, delta)
        self._after(step, foreseen.insert, delta, breaches)
        misplaced = checks.residency(self.model, self.mirror, step, delta)
        self.gave_in = self.gave_in or bool(misplaced)
        breaches += misplaced
        breaches += checks.shape(self.mirror, delta)
        breaches += checks.locks(self.model, self.mirror, delta)
        breaches += checks.sizes(self.mirror, seen)
        breaches += checks.swa_map(self.mirror, delta, system)
        breaches += checks.arrived(self.mirror, delta, system)
        breaches += checks.quiet(self.model, seen)
        self.model.trie.changed.clear()
        self.gave_in = self.gave_in or bool(breaches)
        return breaches

    # -- the model's part ------------------------------------------------------------------------------------------------------

    def _before(self, step: Step, breaches: list[Breach]) -> Foreseen:
        """What the model can tell without seeing the system's choices."""
        if isinstance(step.outcome, Skipped):
            return UNREMARKABLE
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
                return Foreseen(ran=waiting) if waiting else UNREMARKABLE
        return UNREMARKABLE

    def _before_insert(self, step: Step, key: Key, evicted: int, reuse: bool, breaches: list[Breach]) -> Foreseen:
        served = self.model.match(key)[0] if reuse else None
        reused = step.outcome.protected if isinstance(step.outcome, Inserted) else 0
        insert = self.model.insert(key, reused, evicted)
        _expect(step, Inserted(insert.existing * self.config.page_size, served.end if served else 0), breaches)
        return Foreseen(insert, served=served, choice=insert.opens)

    def _after(self, step: Step, insert: Inserting | None, delta: Delta, breaches: list[Breach]) -> None:
        """What the model tells from the system's choices: victims, and backups it could start."""
        if isinstance(step.outcome, Skipped):
            return
        match step.operation:
            case Insert():
                assert insert is not None
                breaches += self.model.finish_insert(insert, delta.gained[Pool.FULL_HOST], delta.gone)
            case Evict(full, swa):
                freed_full, freed_swa, found = self.model.evict(full, swa, delta.gone)
                breaches += found
                _expect(step, Freed(freed_full, freed_swa), breaches)
            case EvictHost(tokens, component):
                freed, found = self.model.evict_host(tokens, component, delta.gone)
                breaches += found
                _expect(step, Done(freed), breaches)


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
