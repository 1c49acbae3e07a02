"""A copy engine that runs when it is told: streams and events in place of the accelerator's.

SGLang submits copies to streams and learns of their completion from events, through a module that
looks like ``torch.cuda``. Here a copy submitted inside ``with stream(s)`` waits in ``s`` until
somebody waits for it, and the event recorded after it completes then and not before. All that is
queued belongs to a stream, every cache makes its own streams, so nothing leaks from one cache into
the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np


class Stream:
    """Work in the order in which it was submitted, performed when somebody asks for it."""

    __slots__ = ("_immediate", "_queue")

    def __init__(self, *_: Any, immediate: bool = False, **__: Any) -> None:
        self._immediate = immediate
        self._queue: deque[Callable[[], None]] = deque()

    def submit(self, work: Callable[[], None]) -> None:
        if self._immediate:
            work()
        else:
            self._queue.append(work)

    def advance(self) -> bool:
        """Perform the oldest piece of work; returns whether there was one."""
        if not self._queue:
            return False
        self._queue.popleft()()
        return True

    def synchronize(self) -> None:
        while self.advance():
            pass

    def wait_event(self, event: Event) -> None:
        self.submit(event.synchronize)

    def wait_stream(self, stream: Stream) -> None:
        self.submit(stream.synchronize)


class Event:
    """Complete when its stream has reached all records of it; without any it is, as in CUDA."""

    __slots__ = ("_outstanding", "_stream")

    def __init__(self, *_: Any, **__: Any) -> None:
        self._outstanding = 0
        self._stream = _DEFAULT

    def record(self, stream: Stream | None = None) -> None:
        self._stream = stream or current_stream()
        self._outstanding += 1
        self._stream.submit(self._reach)

    def _reach(self) -> None:
        self._outstanding -= 1

    def query(self) -> bool:
        return self._outstanding == 0

    def synchronize(self) -> None:
        """Run whatever precedes the last record."""
        while self._outstanding and self._stream.advance():
            pass

    def wait(self, stream: Stream | None = None) -> None:
        (stream or current_stream()).wait_event(self)


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
        source, (page, offset) = src_indices.numpy(), np.divmod(dst_indices.numpy(), page_size)
        layers = len(src_ptrs) // len(dst_ptrs)
        for number, tensor in enumerate(src_ptrs):
            dst_ptrs[number // layers].numpy()[page, number % layers, offset] = tensor.numpy()[
                source
            ]

    current_stream().submit(copy)


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
        (page, offset), target = np.divmod(src_indices.numpy(), page_size), dst_indices.numpy()
        for source, tensor in zip(src_ptrs, dst_ptrs, strict=True):
            tensor.numpy()[target] = source.numpy()[page, layer_id, offset]

    current_stream().submit(copy)


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

    current_stream().submit(copy)
