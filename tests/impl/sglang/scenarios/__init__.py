"""What every release of SGLang must do as a `System`, whatever its rules.

A scenario is a function of a target; it says what differs between releases where something does.
``python -m scenarios VERSION``, run beside it, runs all of them in one process, and prints a JSON
object from the name of each scenario to what it raised.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import getmembers, isfunction

from radixproof.impl.system import Target

from . import (
    announcing,
    carrying,
    copying,
    evicting,
    importing,
    locking,
    matching,
    memory,
    observing,
    prefetching,
    states,
    storing,
)

MODULES = (
    matching,
    memory,
    states,
    copying,
    evicting,
    storing,
    locking,
    prefetching,
    carrying,
    observing,
    announcing,
    importing,
)
SCENARIOS: dict[str, Callable[[Target], None]] = {
    name: function
    for module in MODULES
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__
}
