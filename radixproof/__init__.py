"""radixproof: find the bugs in the KV caches of LLM servers before they ship.

What is imported from here is public: `check`, `replay` and `shrink`, the state machine, and what it
takes to put a cache of your own under test. Names are loaded on first use, so that importing the
package costs nothing, and Hypothesis and torch are imported only by what needs them.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # that of `typing` would have to be imported
if TYPE_CHECKING:
    from radixproof.checking import CheckResult as CheckResult
    from radixproof.checking import check as check
    from radixproof.checking import replay as replay
    from radixproof.impl.observation import Event as Event
    from radixproof.impl.observation import NodeView as NodeView
    from radixproof.impl.observation import Observation as Observation
    from radixproof.impl.observation import Whole as Whole
    from radixproof.impl.operations import Abort as Abort
    from radixproof.impl.operations import Arrive as Arrive
    from radixproof.impl.operations import Decode as Decode
    from radixproof.impl.operations import EndPrefetch as EndPrefetch
    from radixproof.impl.operations import Evict as Evict
    from radixproof.impl.operations import EvictHost as EvictHost
    from radixproof.impl.operations import Finish as Finish
    from radixproof.impl.operations import History as History
    from radixproof.impl.operations import HostInsert as HostInsert
    from radixproof.impl.operations import HostLock as HostLock
    from radixproof.impl.operations import Insert as Insert
    from radixproof.impl.operations import LoadBack as LoadBack
    from radixproof.impl.operations import LoadingCheck as LoadingCheck
    from radixproof.impl.operations import Lock as Lock
    from radixproof.impl.operations import Match as Match
    from radixproof.impl.operations import Operation as Operation
    from radixproof.impl.operations import Prefetch as Prefetch
    from radixproof.impl.operations import Prefill as Prefill
    from radixproof.impl.operations import Refuse as Refuse
    from radixproof.impl.operations import ReleaseWindow as ReleaseWindow
    from radixproof.impl.operations import Reset as Reset
    from radixproof.impl.operations import RunCopies as RunCopies
    from radixproof.impl.operations import RunForward as RunForward
    from radixproof.impl.operations import Unlock as Unlock
    from radixproof.impl.operations import WritingCheck as WritingCheck
    from radixproof.impl.recording.recording import record as record
    from radixproof.impl.registry import UnknownSystem as UnknownSystem
    from radixproof.impl.registry import find as find
    from radixproof.impl.revealing import Counters as Counters
    from radixproof.impl.revealing import Hidden as Hidden
    from radixproof.impl.revealing import Revealing as Revealing
    from radixproof.impl.scope import ONE_TIER as ONE_TIER
    from radixproof.impl.scope import Scope as Scope
    from radixproof.impl.sight import NODES_ONLY as NODES_ONLY
    from radixproof.impl.sight import Sight as Sight
    from radixproof.impl.system import Adopting as Adopting
    from radixproof.impl.system import Closing as Closing
    from radixproof.impl.system import EarlyRelease as EarlyRelease
    from radixproof.impl.system import HostInserting as HostInserting
    from radixproof.impl.system import HostLocking as HostLocking
    from radixproof.impl.system import HostTier as HostTier
    from radixproof.impl.system import Insertion as Insertion
    from radixproof.impl.system import Launching as Launching
    from radixproof.impl.system import Lookup as Lookup
    from radixproof.impl.system import Prefetching as Prefetching
    from radixproof.impl.system import Refusing as Refusing
    from radixproof.impl.system import Replicated as Replicated
    from radixproof.impl.system import Resetting as Resetting
    from radixproof.impl.system import Stateful as Stateful
    from radixproof.impl.system import System as System
    from radixproof.impl.system import Target as Target
    from radixproof.impl.system import Unavailable as Unavailable
    from radixproof.impl.system import Windowed as Windowed
    from radixproof.model.config import Component as Component
    from radixproof.model.config import Config as Config
    from radixproof.model.config import ConfigError as ConfigError
    from radixproof.model.config import EvictionPolicy as EvictionPolicy
    from radixproof.model.config import Pool as Pool
    from radixproof.model.dialect import Dialect as Dialect
    from radixproof.model.key import Key as Key
    from radixproof.model.verdict import Breach as Breach
    from radixproof.model.verdict import Property as Property
    from radixproof.properties.histories.history_json import HistoryError as HistoryError
    from radixproof.properties.histories.history_json import from_json as from_json
    from radixproof.properties.histories.history_json import to_json as to_json
    from radixproof.properties.known.entry import KnownError as KnownError
    from radixproof.properties.known.files import Known as Known
    from radixproof.properties.known.files import load_known as load_known
    from radixproof.properties.running.run import Verdict as Verdict
    from radixproof.properties.search.finding import Finding as Finding
    from radixproof.properties.search.finding import NothingFails as NothingFails
    from radixproof.properties.search.finding import shrink as shrink
    from radixproof.properties.testing.case import state_machine as state_machine

__all__ = [
    "NODES_ONLY",
    "ONE_TIER",
    "Abort",
    "Adopting",
    "Arrive",
    "Breach",
    "CheckResult",
    "Closing",
    "Component",
    "Config",
    "ConfigError",
    "Counters",
    "Decode",
    "Dialect",
    "EarlyRelease",
    "EndPrefetch",
    "Event",
    "Evict",
    "EvictHost",
    "EvictionPolicy",
    "Finding",
    "Finish",
    "Hidden",
    "History",
    "HistoryError",
    "HostInsert",
    "HostInserting",
    "HostLock",
    "HostLocking",
    "HostTier",
    "Insert",
    "Insertion",
    "Key",
    "Known",
    "KnownError",
    "Launching",
    "LoadBack",
    "LoadingCheck",
    "Lock",
    "Lookup",
    "Match",
    "NodeView",
    "NothingFails",
    "Observation",
    "Operation",
    "Pool",
    "Prefetch",
    "Prefetching",
    "Prefill",
    "Property",
    "Refuse",
    "Refusing",
    "ReleaseWindow",
    "Replicated",
    "Reset",
    "Resetting",
    "Revealing",
    "RunCopies",
    "RunForward",
    "Scope",
    "Sight",
    "Stateful",
    "System",
    "Target",
    "Unavailable",
    "UnknownSystem",
    "Unlock",
    "Verdict",
    "Whole",
    "Windowed",
    "WritingCheck",
    "__version__",
    "check",
    "find",
    "from_json",
    "load_known",
    "record",
    "replay",
    "shrink",
    "state_machine",
    "to_json",
]

_MODULES = {
    "impl.observation": "Event NodeView Observation Whole",
    "impl.operations": (
        "Abort Arrive Decode EndPrefetch Evict EvictHost Finish History HostInsert HostLock Insert"
        " LoadBack LoadingCheck Lock Match Operation Prefetch Prefill Refuse ReleaseWindow Reset"
        " RunCopies RunForward Unlock WritingCheck"
    ),
    "impl.recording.recording": "record",
    "impl.registry": "UnknownSystem find",
    "impl.revealing": "Counters Hidden Revealing",
    "impl.scope": "ONE_TIER Scope",
    "impl.sight": "NODES_ONLY Sight",
    "impl.system": (
        "Adopting Closing EarlyRelease HostInserting HostLocking HostTier Insertion Launching"
        " Lookup Prefetching Refusing Replicated Resetting Stateful System Target Unavailable"
        " Windowed"
    ),
    "model.config": "Component Config ConfigError EvictionPolicy Pool",
    "model.dialect": "Dialect",
    "model.key": "Key",
    "model.verdict": "Breach Property",
    "properties.testing.case": "state_machine",
    "properties.histories.history_json": "HistoryError from_json to_json",
    "properties.known.entry": "KnownError",
    "properties.known.files": "Known load_known",
    "properties.running.run": "Verdict",
    "properties.search.finding": "Finding NothingFails shrink",
    "checking": "CheckResult check replay",
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
