"""A copy engine that runs when it is told: streams and events in place of the accelerator's.

SGLang submits copies to streams and learns of their completion from events, through a module that
looks like ``torch.cuda``. Here a copy submitted inside ``with stream(s)`` waits in ``s`` until
somebody waits for it, and the event recorded after it completes then and not before. All that is
queued belongs to a stream, every cache makes its own streams, so nothing leaks from one cache into
the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from radixproof.impl import streams
from radixproof.impl.streams import Timeline
from radixproof.model.config import Pool


class Stream(streams.Stream):
    """A stream as SGLang makes one, with whatever arguments."""

    __slots__ = ("_pools",)

    def __init__(self, *_: Any, immediate: bool = False, **__: Any) -> None:
        super().__init__(immediate=immediate)
        self._pools: Mapping[int, Pool] = {}

    def tell(self, name: str, timeline: Timeline, pools: Mapping[int, Pool]) -> None:
        """Write down, from now on, what is submitted; ``pools`` are known by the addresses of their
        buffers.
        """
        self.name, self.timeline, self._pools = name, timeline, pools

    def moves(self, source: Any, source_slots: Any, target: Any, target_slots: Any) -> None:
        """Say what the copy that is submitted next reads, and what it writes: tensors, of both."""
        for buffer, slots, writes in ((source, source_slots, False), (target, target_slots, True)):
            pool = self._pools.get(buffer.data_ptr())
            if pool is not None:
                self.access(pool, slots.tolist(), writes, self.name)


class Event(streams.Event):
    """An event as SGLang makes one; unless a stream is named, it means the current one."""

    __slots__ = ()

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def record(self, stream: streams.Stream | None = None) -> None:
        super().record(stream or current_stream())

    def wait(self, stream: streams.Stream | None = None) -> None:
        super().wait(stream or current_stream())


_DEFAULT = Stream(immediate=True)
_active = [_DEFAULT]
"""Streams whose ``with stream(s)`` block is being executed, innermost last.

The only shared state; each block restores it.
"""


def current_stream(*_: Any) -> Stream:
    return _active[-1]


@contextmanager
def stream(chosen: Stream) -> Iterator[Stream]:
    _active.append(chosen)
    try:
        yield chosen
    finally:
        _active.pop()


DEVICE_MODULE = SimpleNamespace(
    Stream=Stream, Event=Event, stream=stream, current_stream=current_stream
)
"""What SGLang gets as its ``device_module``: all that its cache code uses of ``torch.cuda``."""


def backup_all_layers(
    src_ptrs: Sequence[Any],
    dst_ptrs: Sequence[Any],
    src_indices: Any,
    dst_indices: Any,
    page_size: int,
) -> None:
    """``transfer_kv_all_layer_direct_lf_pf``: all layers of the device into buffers of the host.

    Device layers are ``[slot, ...]``, host buffers ``[page, layer, offset, ...]``. ``src_ptrs`` are
    all layers of the first destination, then all of the second. Indices are one slot per token.
    """

    def copy() -> None:
        source, target = (_by_pages(one, page_size) for one in (src_indices, dst_indices))
        page, offset = np.divmod(target, page_size)
        layers = len(src_ptrs) // len(dst_ptrs)
        for number, tensor in enumerate(src_ptrs):
            dst_ptrs[number // layers].numpy()[page, number % layers, offset] = tensor.numpy()[
                source
            ]

    _submit(copy, src_ptrs[0], src_indices, dst_ptrs[0], dst_indices)


def load_layer(
    src_ptrs: Sequence[Any],
    dst_ptrs: Sequence[Any],
    src_indices: Any,
    dst_indices: Any,
    layer_id: int,
    page_size: int,
) -> None:
    """``transfer_kv_per_layer_direct_pf_lf``: one layer of the host into layers of the device.

    Shapes are those of `backup_all_layers`.
    """

    def copy() -> None:
        source_slots, target = (_by_pages(one, page_size) for one in (src_indices, dst_indices))
        page, offset = np.divmod(source_slots, page_size)
        for source, tensor in zip(src_ptrs, dst_ptrs, strict=True):
            tensor.numpy()[target] = source.numpy()[page, layer_id, offset]

    _submit(copy, src_ptrs[0], src_indices, dst_ptrs[0], dst_indices)


def _by_pages(indices: Any, page_size: int) -> Any:
    """Slots as the kernels take them: whole pages, each from its first slot on."""
    if len(indices) % page_size:
        raise RuntimeError(f"{len(indices)} indices are no whole pages of {page_size}")
    return (indices.numpy()[::page_size, np.newaxis] + np.arange(page_size)).ravel()


def copy_slots(
    src_layers: Sequence[Any],
    dst_layers: Sequence[Any],
    src_indices: Any,
    dst_indices: Any,
    page_size: int,
) -> None:
    """``transfer_kv_direct``: layers ``[slot, ...]`` into layers of the same shape."""

    def copy() -> None:
        source, target = src_indices.numpy(), dst_indices.numpy()
        for origin, tensor in zip(src_layers, dst_layers, strict=True):
            tensor.numpy()[target] = origin.numpy()[source]

    _submit(copy, src_layers[0], src_indices, dst_layers[0], dst_indices)


def _submit(
    copy: Callable[[], None], source: Any, source_slots: Any, target: Any, target_slots: Any
) -> None:
    """Submit a copy to the current stream, which is told what it moves by the first of its
    buffers.
    """
    stream = current_stream()
    stream.moves(source, source_slots, target, target_slots)
    stream.submit(copy)
