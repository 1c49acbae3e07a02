"""Every place in the source that makes a `Breach`, and which of them a test was seen to reach.

A place counts as reached once a passing test made a breach there and names what it expected: the
signature or the rule of that breach stands in the test's own source or among its parameters. So a
rule that no test plants a violation of, or that fires where nobody asserts it, is not passed over.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radixproof.model.verdict import Breach, Property

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("model", "properties")


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A call of `Breach` in the source."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A breach of a property that a test made at a site and expected."""

    site: Site
    label: str
    test: str

    def plain(self) -> tuple[str, int, str, str]:
        """What a worker process sends to the one that started it."""
        return self.site.file, self.site.line, self.label, self.test

    @staticmethod
    def of(plain: tuple[str, int, str, str]) -> Hit:
        file, line, label, test = plain
        return Hit(Site(file, line), label, test)


def sites_in(source: str, file: str) -> Iterator[Site]:
    """The calls of `Breach` in a piece of source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Breach":
            yield Site(file, node.lineno)


def all_sites(root: Path = ROOT) -> list[Site]:
    """The calls of `Breach` in the rooms that judge."""
    return sorted(
        site
        for room in ROOMS
        for path in (root / room).rglob("*.py")
        for site in sites_in(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    )


def problems(sites: Iterable[Site], hits: Iterable[Hit]) -> list[str]:
    """Sites that no test reached; properties that no test of their name sees violated."""
    known = list(hits)
    reached = {hit.site for hit in known}
    named = {
        item
        for item in Property
        for hit in known
        if hit.label == item.label and f"test_{item.name.lower()}" in hit.test
    }
    return [f"{site}: no test plants this violation" for site in sites if site not in reached] + [
        f"{item.label}: no test named test_{item.name.lower()}... sees it violated"
        for item in Property
        if item not in named
    ]


def texts(item: pytest.Item) -> set[str]:
    """All strings in the source of a test, decorators included, and among its parameters."""
    function = getattr(item, "function", None)
    source = "" if function is None else textwrap.dedent(inspect.getsource(function))
    written = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    callspec = getattr(item, "callspec", None)
    return written if callspec is None else written | set(_strings(callspec.params.values()))


def _strings(values: Iterable[object]) -> Iterator[str]:
    """Strings among some values, and in lists among them."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from _strings(value)


def names(text: str, label: str, rule: str) -> bool:
    """Whether a string in a test is what it expects of a breach.

    That is the whole signature or its beginning, or the rule, without the pool that it begins with.
    """
    return (
        rule == text
        or rule.endswith(f"-{text}")
        or (text.startswith(f"{label}/") and f"{label}/{rule}".startswith(text) and text[-1] != "/")
    )


class Recorder:
    """Notes where breaches are made, test by test; those that a passing test expected are hits."""

    def __init__(self) -> None:
        self.hits: set[Hit] = set()
        self._made: set[tuple[str, int, str, str]] = set()
        self._original: Callable[..., None] = Breach.__init__

    def install(self) -> None:
        """From now on every breach is noted."""
        made, original = self._made, self._original

        def noting(breach: Breach, *values: Any, **named: Any) -> None:
            original(breach, *values, **named)
            frame = sys._getframe(1)
            place = frame.f_code.co_filename, frame.f_lineno
            made.add((*place, breach.violates.label, breach.rule))

        Breach.__init__ = noting  # type: ignore[assignment, method-assign]

    def uninstall(self) -> None:
        """Breaches are as they were."""
        Breach.__init__ = self._original  # type: ignore[method-assign]

    def begin(self) -> None:
        """A test begins."""
        self._made.clear()

    def passed(self, item: pytest.Item) -> None:
        """A test has passed: what it made and expected counts."""
        if not self._made:
            return
        expected = texts(item)
        for file, line, label, rule in self._made:
            path = Path(file).resolve()
            if any(names(text, label, rule) for text in expected) and path.is_relative_to(ROOT):
                site = Site(str(path.relative_to(ROOT)), line)
                self.hits.add(Hit(site, label, item.name))
