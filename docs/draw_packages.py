"""The packages from top to bottom, what each is for, and which others it imports: `make drawing`.

The drawing in CONTRIBUTING is what this prints. The order of the packages is declared below, not
computed: an import of a higher package by a lower one is an arrow that runs back, and an error.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
TOP = "radixproof"
ROOMS = ("properties", "impl", "model")

ORDER = (
    "radixproof",
    "properties/cli",
    "properties/testing",
    "properties/symbolic",
    "properties/matrix",
    "properties/sensitivity",
    "properties/campaigns",
    "properties/power",
    "properties/exploring",
    "properties/results",
    "properties/workers",
    "properties/reporting",
    "properties/traces",
    "properties/guarding",
    "properties/search",
    "properties/drivers",
    "properties/known",
    "properties/histories",
    "properties/coverage",
    "properties/generating",
    "properties/running",
    "properties/judging",
    "properties/performing",
    "properties/accepting",
    "impl/registry",
    "impl/faults",
    "impl/sabotage",
    "impl/sglang",
    "impl/radix_adapter",
    "impl/recording",
    "impl",
    "impl/radix",
    "model/following",
    "model/specification",
    "model",
)
"""Packages from high to low; one may import only those that come after it.

A module that stands on another floor than the rest of its package is named for itself.
"""
BEGIN, END = "<!-- drawing: made by `make drawing` -->", "<!-- end of drawing -->"
WIDTH, INDENT = 100, 17

Graph: TypeAlias = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: the module that has it, the module that it names, and where."""

    importer: str
    imported: str
    path: Path
    line: int
    at_once: bool
    """Whether it happens as its module is imported, neither later nor for type checkers only."""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the library by its dotted name."""
    found = {}
    for room in (TOP, *ROOMS):
        paths = (root / room).glob("*.py") if room == TOP else (root / room).rglob("*.py")
        for path in paths:
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join(parts if room == TOP else (TOP, *parts))] = path
    return dict(sorted(found.items()))


def imports(known: Mapping[str, Path]) -> list[Import]:
    """Every import of one module of the library by another."""
    return [
        Import(name, target, path, node.lineno, not (late or typed))
        for name, path in known.items()
        for node, late, typed in _statements(ast.parse(path.read_text(encoding="utf-8")))
        for target in sorted(_targets(node, name, path, known))
        if target != name
    ]


def _statements(
    tree: ast.AST, late: bool = False, typed: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Import statements; whether each is in a function, and whether only type checkers see it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, late, typed
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _statements(ast.Module(node.body, []), late, True)
            yield from _statements(ast.Module(node.orelse, []), late, typed)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _statements(node, late or inside, typed)


def _targets(
    node: ast.Import | ast.ImportFrom, importer: str, path: Path, known: Mapping[str, Path]
) -> set[str]:
    """The modules that a statement names; ``from package import module`` names the module.

    The version is not one: ``radixproof``, the parent of all modules, is imported anyway.
    """
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name in known}
    base = node.module or ""
    if node.level:
        above = importer.split(".")
        above = above[: len(above) - node.level + (path.name == "__init__.py")]
        base = ".".join([*above, *([node.module] if node.module else [])])
    named = (f"{base}.{alias.name}" for alias in node.names if not alias.name.startswith("__"))
    return {name if name in known else base for name in named} & known.keys()


def package_of(module: str) -> str:
    """The name in `ORDER` that a module belongs to: the longest that its own begins with."""
    own = module.removeprefix(f"{TOP}.").replace(".", "/")
    fitting = [name for name in ORDER if own == name or own.startswith(f"{name}/")]
    if not fitting and (own in ROOMS or "/" not in own):
        return TOP
    if not fitting or (own.count("/") > 1 and max(fitting, key=len) in ROOMS):
        raise LookupError(f"{own} belongs to no package that docs/draw_packages.py has in order")
    return max(fitting, key=len)


def arrows(found: list[Import]) -> Graph:
    """Which packages each package imports, wherever in its modules it does."""
    graph: dict[str, set[str]] = {name: set() for name in ORDER}
    for each in found:
        importer, imported = package_of(each.importer), package_of(each.imported)
        if importer != imported:
            graph[importer].add(imported)
    return {name: frozenset(graph[name]) for name in ORDER}


def running_back(found: list[Import]) -> list[Import]:
    """Imports of a higher package by a lower one."""
    floor = {name: number for number, name in enumerate(ORDER)}
    return [
        each
        for each in found
        if floor[package_of(each.importer)] > floor[package_of(each.imported)]
    ]


def circles(found: list[Import]) -> list[frozenset[str]]:
    """Sets of modules each of which imports, over some way, all others of its set."""
    graph: dict[str, set[str]] = {}
    for each in found:
        graph.setdefault(each.importer, set()).add(each.imported)
    reached = {name: _reached(graph, name) for name in graph}
    sets = {
        frozenset(other for other in reached[name] if name in reached.get(other, ()))
        for name in graph
    }
    return sorted(filter(None, sets), key=sorted)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph.get(ahead.pop(), set()) - reached
        reached |= new
        ahead += new
    return reached


def sentence(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def drawing(root: Path = ROOT) -> str:
    """All packages, top to bottom; below each sentence the packages that it imports."""
    known = modules(root)
    graph = arrows(imports(known))
    lines: list[str] = []
    for name in ORDER:
        room, _, rest = name.partition("/")
        if f"{room}/" not in (line.split(" ")[0] for line in lines):
            path = known[f"{TOP}.{room}"] if room in ROOMS else known[TOP]
            lines += ["", *_row(f"{room}/", sentence(path))]
        if rest:
            lines += _row(f"  {rest}", sentence(known[f"{TOP}.{name.replace('/', '.')}"]))
        elif room in ROOMS and graph[name]:
            own = (module for module in known if module.count(".") > 1)
            inside = [module.rpartition(".")[2] for module in own if package_of(module) == name]
            lines += _row(f"  {', '.join(inside)}", "")
        if graph[name]:
            below = (to.removeprefix(f"{room}/") for to in ORDER if to in graph[name])
            lines += _row("", f"└─> {', '.join(below)}", deeper=4)
    return "\n".join(lines[1:]) + "\n"


def _row(label: str, text: str, deeper: int = 0) -> list[str]:
    """A name, and beside it what is said of it."""
    row = f"{label:{INDENT}}{text}"
    return textwrap.wrap(
        row, WIDTH, subsequent_indent=" " * (INDENT + deeper), break_on_hyphens=False
    )


def written(document: str, drawn: str) -> str:
    """A document with the drawing between its two marks."""
    before, mark, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise LookupError(f"the document has no lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n```text\n{drawn}```\n{END}{after}"


def main() -> int:
    """Print the drawing, or with ``--write`` put it into CONTRIBUTING; 1 if an arrow runs back."""
    drawn = drawing()
    if sys.argv[1:] == ["--write"]:
        document = ROOT / "CONTRIBUTING.md"
        text = written(document.read_text(encoding="utf-8"), drawn)
        document.write_text(text, encoding="utf-8")
    else:
        print(drawn, end="")
    found = imports(modules())
    back = running_back(found)
    for each in back:
        place = f"{each.path.relative_to(ROOT)}:{each.line}"
        print(f"{place}: {package_of(each.importer)} imports {each.imported}", file=sys.stderr)
    for circle in circles([each for each in found if each.at_once]):
        print(f"circle at run time: {', '.join(sorted(circle))}", file=sys.stderr)
    return 1 if back else 0


if __name__ == "__main__":
    sys.exit(main())
