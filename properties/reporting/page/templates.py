"""The templates of pages, filled in: whatever comes from a system, or a file, is text in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def fill(template: str, parts: Mapping[str, Any]) -> str:
    """A page of one of the templates beside this file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(parts)
