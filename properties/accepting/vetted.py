"""A system whose answers are looked at before anyone relies on them.

A value of the wrong type would otherwise come out far from where it went in: as an error of the
harness, or as a finding about a cache that has done nothing wrong.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from radixproof.impl.observation import Observation
from radixproof.impl.system import AdapterMistake, Complete, Lookup, System, Target
from radixproof.model.config import DEVICE, Config
from radixproof.model.key import Key
from radixproof.properties.accepting.answers import ANSWERS, Form, spelled
from radixproof.properties.accepting.methods import called, complete
from radixproof.properties.accepting.shown import Watch


def accepted(system: System, target: Target, config: Config) -> Complete:
    """A system that was just built, as the harness uses it. Raises `AdapterMistake`."""
    if system is None or inspect.isclass(system):
        raise AdapterMistake(
            f"the adapter of {target.name} has a mistake: build must return a system, and returned "
            f"{system!r}"
        )
    ready = complete(system, target.scope)
    if target.vetted:
        return ready
    vetted = Vetted(ready, called(target.scope), target, config)
    vetted.look_at_the_new_cache()
    return cast(Complete, vetted)


_OURS = Path(__file__).parents[2]


class Vetted:
    """Passes every call on, and raises `AdapterMistake` for an answer in the wrong form."""

    def __init__(
        self, system: Complete, methods: Sequence[str], target: Target, config: Config
    ) -> None:
        self._system, self._target, self._config = system, target, config
        self._watch = Watch(config, target.sight)
        self._matched = 0
        """Tokens of the last match."""
        self._match = _vetted(target.name, system.match, ANSWERS["match"])
        for name in methods:
            if name not in ANSWERS or name == "match":
                continue
            setattr(self, name, _vetted(target.name, getattr(system, name), ANSWERS[name]))

    def __getattr__(self, name: str) -> Any:
        if name == "path_slots" and not hasattr(self._system, name):
            text = "returned an anchor, for which there must be a method path_slots"
            raise mistake(self._target.name, self._system.insert, text)
        return getattr(self._system, name)

    def match(self, key: Key) -> Lookup:
        found: Lookup = self._match(key)
        self._matched = found.device
        return found

    def lock(self, anchor: Any) -> Any:
        receipt = self._system.lock(anchor)
        if receipt is None and self._matched:
            text = (
                f"returned None for a prefix of {self._matched} tokens, and must return a receipt, "
                "such as the node: it is all that unlock is given"
            )
            raise mistake(self._target.name, self._system.lock, text)
        return receipt

    def observe(self, whole: bool) -> Observation:
        seen = self._system.observe(whole)
        problem = self._watch.problem(seen, whole)
        if problem:
            raise mistake(self._target.name, self._system.observe, problem)
        return seen

    def look_at_the_new_cache(self) -> None:
        """It is empty, and as large as its configuration says."""
        name, system = self._target.name, self._system
        method: Callable[..., Any] = system.observe
        try:
            problem = self._watch.problem_of_new(self.observe(True))
            for pool in self._config.pools:
                if not problem and pool in DEVICE:
                    method = system.available
                    problem = self._watch.miscounted(pool, self.available(pool))
        except AdapterMistake:
            raise
        except Exception as error:
            text = f"raises {type(error).__name__} on a new cache{_line(error)}: {error}"
            raise mistake(name, method, text) from error
        if problem:
            raise mistake(name, method, problem)


def mistake(target: str, method: Callable[..., Any], text: str) -> AdapterMistake:
    """A mistake in a method of the adapter of a target."""
    kind = type(getattr(method, "__self__", method)).__name__
    name = getattr(method, "__name__", "?")
    return AdapterMistake(
        f"the adapter of {target} has a mistake: {kind}.{name}{_place(method)} {text}"
    )


def _vetted(target: str, method: Callable[..., Any], form: Form) -> Callable[..., Any]:
    """A method that raises for an answer in the wrong form."""

    def ask(*arguments: Any) -> Any:
        answer = method(*arguments)
        if not form.fits(answer, *arguments):
            given = ", ".join(map(spelled, arguments))
            text = f"returned {spelled(answer)} for ({given}), and must return {form.words}"
            raise mistake(target, method, text)
        return answer

    return ask


def _place(method: Callable[..., Any]) -> str:
    """File and line of a function, where it has one."""
    code = getattr(inspect.unwrap(getattr(method, "__func__", method)), "__code__", None)
    return f" ({Path(code.co_filename).name}, line {code.co_firstlineno})" if code else ""


def _line(error: Exception) -> str:
    """The last line outside of radixproof that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame for frame in frames if not Path(frame.filename).is_relative_to(_OURS)]
    return f" in {Path(lines[-1].filename).name}, line {lines[-1].lineno}" if lines else ""
