"""What a pytest run was asked for: by the test itself, on the command line, by a marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """How a system is to be checked."""

    profile: str = "dev"
    seed: int = 1
    seconds: float | None = None
    """After which a check is given up."""
    known: tuple[str, ...] = ()
    """Files of known findings."""
    out: Path = field(default=Path("findings"))
    """Where findings are written."""

    def but(self, changes: Mapping[str, Any]) -> Asked:
        """The same, but for what is not None in ``changes``."""
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None}
        )


class CommandLine:
    """What holds for the whole run, once the plugin has been configured."""

    asked: Asked = Asked()
