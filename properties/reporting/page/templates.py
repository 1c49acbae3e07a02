"""Templates of pages, filled in: whatever comes from a system, or a file, is text in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    )
    return environment.get_template(template.name).render(parts)
