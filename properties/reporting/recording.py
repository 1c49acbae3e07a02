"""A system whose calls are recorded, for tests that repeat them one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from radixproof.impl.sglang.paste.requests import Call
from radixproof.impl.system import System, Target
from radixproof.model.config import Config


class Recorded:
    """Stands in front of a system and passes every call on."""

    def __init__(self, system: System, calls: list[Call]) -> None:
        self._system = system
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._system, name)

        def call(*arguments: Any, **named: Any) -> Any:
            result = None
            try:
                result = method(*arguments, **named)
            finally:
                self._calls.append(Call(name, arguments, result))
            return result

        return call


def recording(target: Target, calls: list[Call]) -> Target:
    """The target, whose systems add their calls to a list."""
    build: Callable[[Config], Any] = target.build
    return replace(target, build=lambda config: Recorded(build(config), calls))
