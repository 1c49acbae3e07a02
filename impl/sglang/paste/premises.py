"""Which operations of a history the harness would skip, as far as that is known without running it."""

from __future__ import annotations

from dataclasses import dataclass, field

from radixproof.impl.operations import (
    EvictHost,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Operation,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.system import Scope
from radixproof.model.config import Config

_OF_THE_HOST = (HostLock, LoadBack, EvictHost, RunCopies, WritingCheck, LoadingCheck)


@dataclass(slots=True)
class Receipts:
    """The receipts that a history has at some point."""

    device: set[str] = field(default_factory=set)
    host: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    """Those of the device whose window was given back."""

    def note(self, operation: Operation) -> None:
        """The operation was performed."""
        match operation:
            case Lock(receipt):
                self.device.add(receipt)
            case HostLock(receipt):
                self.host.add(receipt)
            case ReleaseWindow(receipt):
                self.released.add(receipt)
            case Unlock(receipt):
                for receipts in (self.device, self.host, self.released):
                    receipts.discard(receipt)


def missing(operation: Operation, receipts: Receipts, config: Config, scope: Scope) -> str | None:
    """The premise that an operation lacks, in words; None if it lacks none."""
    if type(operation) not in scope.operations:
        return "the release has no such operation"
    if isinstance(operation, _OF_THE_HOST) and not config.hosted:
        return "there is no host tier"
    match operation:
        case Insert(key, evicted) if evicted:
            return _no_boundary(len(key.tokens), evicted, config)
        case RunCopies(fail=True):
            return "copies of SGLang cannot fail"
        case Lock() | HostLock() | Unlock() | ReleaseWindow() | Reset():
            return _no_receipt(operation, receipts, config)
    return None


def _no_boundary(length: int, evicted: int, config: Config) -> str | None:
    if config.window is None:
        return "there is no SWA"
    return "the SWA boundary is beyond the prompt" if evicted > config.floor(length) else None


def _no_receipt(
    operation: Lock | HostLock | Unlock | ReleaseWindow | Reset, receipts: Receipts, config: Config
) -> str | None:
    held = receipts.device | receipts.host
    match operation:
        case Lock(receipt) | HostLock(receipt) if receipt in held:
            return f"{receipt} is taken"
        case Unlock(receipt) if receipt not in held:
            return f"there is no receipt {receipt}"
        case ReleaseWindow(receipt) if (
            config.window is None or receipt not in receipts.device - receipts.released
        ):
            return f"the window of {receipt} is not locked"
        case Reset() if held:
            return "the cache is not idle"
    return None
