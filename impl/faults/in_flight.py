"""Bugs in the order of copies and of the forward pass that is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.planting import INVENTED, fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from collections.abc import Sequence

    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.engine import Copy, Transfer


@fault(
    "SGLang 0.5.23: write_fence_stream",
    "a backup does not wait for the forward pass that computes what it copies",
    Property.RACE,
)
def backup_overtakes_forward(cache: RadixCache) -> None:
    _wait_for_nothing(cache.backups._outstanding._engine)


@fault(
    "SGLang pull request 36738",
    "a load-back does not wait for the forward pass that still writes to its slots",
    Property.RACE,
)
def load_overtakes_forward(cache: RadixCache) -> None:
    _wait_for_nothing(cache.loader._outstanding._engine)


def _wait_for_nothing(engine: Any) -> None:
    streams, submit = engine._streams, engine.submit
    nothing = type(streams.forward)()

    def submit_at_once(transfers: Sequence[Transfer]) -> Copy:
        compute, streams.compute = streams.compute, lambda: nothing
        copy: Copy = submit(transfers)
        streams.compute = compute
        return copy

    engine.submit = submit_at_once


@fault(
    "SGLang: LayerDoneCounter.wait_until",
    "a forward pass does not wait for the load-back that brings its prefix",
    Property.RACE,
)
def forward_overtakes_load(cache: RadixCache) -> None:
    cache.loader.join = lambda: None  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a backup is taken for done when what it waits for has run, and not when it has: its event is"
    " recorded before it is submitted",
    Property.CONTENT,
)
def end_of_a_copy_recorded_early(cache: RadixCache) -> None:
    engine: Any = cache.backups._outstanding._engine
    submit, enqueue, late = engine.submit, engine._enqueue, list[Any]()

    def submit_and_enqueue(transfers: Sequence[Transfer]) -> Copy:
        copy: Copy = submit(transfers)
        enqueue(late.pop())
        return copy

    engine._enqueue, engine.submit = late.append, submit_and_enqueue
