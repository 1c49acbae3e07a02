"""One known finding: a signature, the reason to pass it over, and where and how long that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from radixproof.impl.registry import family_of
from radixproof.model.verdict import Property

PROPERTIES = {kind.label for kind in Property}


class KnownError(ValueError):
    """A file of known findings cannot be used. The message says where it is wrong, and how."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding that is known."""

    signature: str
    reason: str
    also: tuple[str, ...] = ()
    """Other signatures of the same defect, under which a search meets it before it is shrunk."""
    systems: tuple[str, ...] = ()
    """Names of systems, with a release or without; everywhere if there are none."""
    releases: str = ""
    """A range of versions, as in a requirement of pip; every one if it is empty."""
    upstream: str = ""
    """The number of an issue or pull request, or its address."""
    until: date | None = None
    """The last day on which it counts."""
    place: str = ""
    """The file that it stands in."""

    @property
    def signatures(self) -> tuple[str, ...]:
        """All that are passed over."""
        return (self.signature, *self.also)

    def names(self, system: str, release: str | None) -> bool:
        """Whether it is about a system, on whatever day.

        An entry with a range of releases is not about a system whose release is not known.
        """
        name = family_of(system)
        if self.systems and system not in self.systems and name not in self.systems:
            return False
        if not self.releases:
            return True
        return release is not None and contains(self.releases, release)

    def counts(self, today: date) -> bool:
        """Whether it has not run out."""
        return self.until is None or today <= self.until


def entry(fields: Mapping[str, Any], place: str) -> Entry:
    """The entry with these fields of a file. Raises `KnownError`, without saying where."""
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        raise KnownError(f"unknown field {shown(unknown[0])} (there are: {', '.join(_FIELDS)})")
    for name in ("signature", "reason"):
        if name not in fields:
            raise KnownError(f"it lacks {name!r}")
    return Entry(
        **{name: _FIELDS[name](value, name) for name, value in fields.items()}, place=place
    )


# -- fields --------------------------------------------------------------------------------------


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise KnownError(f"{name} must be a text that says something, not {shown(value)}")
    return " ".join(value.split())


def _signature(value: object, name: str) -> str:
    text = value if isinstance(value, str) else ""
    label, slash, rest = text.partition("/")
    if not slash or not rest:
        raise KnownError(f"{name} must be as in PIN/full-replaced, not {shown(value)}")
    if label not in PROPERTIES:
        labels = ", ".join(kind.label for kind in Property)
        raise KnownError(f"no property is called {shown(label)} (there are: {labels})")
    return text


def _also(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise KnownError(f"{name} must be a list of signatures, not {shown(value)}")
    return tuple(_signature(one, f"one of {name}") for one in value)


def _systems(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise KnownError(f'{name} must be a list of names, as in ["sglang"], not {shown(value)}')
    return tuple(_text(one, f"a name in {name}") for one in value)


def _releases(value: object, name: str) -> str:
    text = _text(value, name)
    contains(text, "0")
    if not text.strip(" ,"):
        raise KnownError(f"{name} must say which, as in <0.5.23, not {shown(value)}")
    return text


def _upstream(value: object, name: str) -> str:
    if type(value) is int and value > 0:
        return f"#{value}"
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        return _text(value, name)
    raise KnownError(f"{name} must be a number or an address (https://...), not {shown(value)}")


def _until(value: object, name: str) -> date:
    if type(value) is not date:
        raise KnownError(
            f"{name} must be a date without quotes, as in 2027-01-31, not {shown(value)}"
        )
    return value


_FIELDS: dict[str, Callable[[object, str], Any]] = {
    "signature": _signature,
    "reason": _text,
    "also": _also,
    "systems": _systems,
    "releases": _releases,
    "upstream": _upstream,
    "until": _until,
}

LONGEST = 60
"""Characters of a wrong value that a message shows."""


def shown(value: object) -> str:
    try:
        text = value.isoformat() if isinstance(value, date) else repr(value)
    except ValueError:  # Python does not write out numbers of so many digits
        return "a number like that"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def contains(releases: str, release: str) -> bool:
    """Whether a range of versions contains one. Raises `KnownError` if it is no range."""
    try:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.version import InvalidVersion
    except ImportError:
        raise KnownError(
            "releases needs the package 'packaging', which is not installed: pip install packaging"
        ) from None
    try:
        return SpecifierSet(releases).contains(release, prereleases=True)
    except InvalidSpecifier:
        raise KnownError(
            f'releases must be a range of versions, as in ">=0.5.13,<0.5.17", not {shown(releases)}'
        ) from None
    except InvalidVersion:
        return False
