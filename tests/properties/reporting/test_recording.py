"""Calls are recorded, step by step."""

from __future__ import annotations

import pytest

from radixproof.impl.registry import find
from radixproof.impl.sglang.paste.requests import Call
from radixproof.model.config import Config, Pool
from radixproof.properties.reporting.recording import Recording


def test_calls_pass_through_and_are_kept_by_step() -> None:
    recording = Recording(find("radix"))
    system = recording.target.build(Config(device_pages=4))
    slots = system.allocate(2)
    assert slots is not None
    recording.next_step()
    system.free(slots)
    with pytest.raises(TypeError):
        system.available()  # type: ignore[call-arg]
    assert system.available(Pool.FULL) == 4
    assert recording.steps == [
        [Call("allocate", (2,), slots)],
        [
            Call("free", (slots,), None),
            Call("available", (), None),
            Call("available", (Pool.FULL,), 4),
        ],
    ]
