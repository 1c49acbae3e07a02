"""A system whose calls are recorded, for tests that repeat them one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from radixproof.impl.sglang.paste.requests import Call
from radixproof.impl.system import System, Target
from radixproof.model.config import Config


class Recording:
    """A target, and the calls that its systems have received, step by step."""

    def __init__(self, target: Target) -> None:
        self.steps: list[list[Call]] = [[]]
        self._build = target.build
        self.target = replace(target, build=self._recorded)

    def next_step(self) -> None:
        """What is called from now on belongs to another step."""
        self.steps.append([])

    def _recorded(self, config: Config) -> Any:
        return _Recorded(self._build(config), self)


class _Recorded:
    """Stands in front of a system and passes every call on."""

    def __init__(self, system: System, recording: Recording) -> None:
        self._system = system
        self._recording = recording

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._system, name)

        def call(*arguments: Any, **named: Any) -> Any:
            result = None
            try:
                result = method(*arguments, **named)
            finally:
                self._recording.steps[-1].append(Call(name, arguments, result))
            return result

        return call
