"""Templates of pages, filled in: whatever comes from a system, or a file, is text in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that cannot be seen, or turn the direction of what follows."""
HERE = Path(__file__).parent


def fill(template: Path, parts: Mapping[str, Any]) -> str:
    """A page of a template, which may include others of its folder."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_visible,
    )
    return environment.get_template(template.name).render(parts)


def _visible(value: Any) -> Any:
    """What is filled in; hidden characters in it are named."""
    if not isinstance(value, str) or not HIDDEN.search(value):
        return value
    return type(value)(HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value))
