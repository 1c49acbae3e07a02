"""The scripts of known findings of SGLang: written from histories, and run on every release.

What no history can say, as that SGLang's own threads run, is in a script that is written by hand,
in ``scripts/`` beside the histories. `write_findings` puts all of them into pages, with what they
print. This file is also what it runs in processes of their own, of which each imports one release:
``--worker SYSTEM``, with a task as JSON.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from traceback import format_exception_only

from radixproof.impl.operations import History
from radixproof.impl.registry import release_of
from radixproof.impl.sglang import releases, shim, store
from radixproof.impl.sglang.names import PYTHON, core_in, named, version_in
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.known.entry import Entry
from radixproof.properties.known.files import BUILTIN, load_known
from radixproof.properties.reporting.child import Died, in_child

FOLDER = Path(__file__).resolve().parent / "findings"
RIGHT = "as it should be"
PREFIX = "sglang=="
CONTROL = "-control"
"""What the name of a control ends with."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a finding before anything is run."""

    name: str
    signatures: tuple[str, ...]
    rules: tuple[str, ...]
    control: str = ""
    """In what its control differs, as half a sentence."""
    elsewhere: tuple[str, ...] = ()
    """Releases that report the same under another of its signatures."""
    apart: tuple[str, ...] = ()
    """Releases of which our list and the script say different things, for a reason that the page
    gives.
    """

    @property
    def page(self) -> Path:
        return FOLDER / f"{self.name}.md"

    @property
    def by_hand(self) -> Path:
        """Its script, if it is written by hand: then this file is there."""
        return FOLDER / "scripts" / f"{self.name}.py"

    @property
    def system(self) -> str:
        """The release that it was found on."""
        return self.history().origin["system"]

    def history(self, kind: str = "") -> History:
        return from_json((FOLDER / "histories" / f"{self.name}{kind}.json").read_text("utf-8"))

    def known(self) -> list[Entry]:
        """The entries of our list that are about it."""
        return [
            one
            for one in load_known(BUILTIN).entries
            if one.signature in self.signatures
            and any(one.names(system, release_of(system)) for system in self.systems)
        ]

    @property
    def systems(self) -> tuple[str, ...]:
        """The release that it was found on, and those that report it in another way."""
        return self.system, *self.elsewhere


@dataclass(frozen=True, slots=True)
class Printed:
    """What a script printed, and the code that it ended with."""

    text: str
    code: int

    @property
    def right(self) -> bool:
        return self.code == 0 and self.last == RIGHT

    @property
    def last(self) -> str:
        """The last line."""
        return self.text.rstrip().rpartition("\n")[2]


Runs = Mapping[str, Mapping[str, Printed]]
"""By system, by the name of a script: what it printed."""


def findings() -> list[Finding]:
    """All of them, in the order of the list."""
    table = tomllib.loads((FOLDER / "findings.toml").read_text(encoding="utf-8"))
    return [
        Finding(
            name,
            tuple(of["signatures"]),
            tuple(of["rules"]),
            of.get("control", ""),
            tuple(of.get("elsewhere", ())),
            tuple(of.get("apart", ())),
        )
        for name, of in table.items()
    ]


def systems() -> list[str]:
    """What scripts are run on: every prepared release that is driven, with its cores."""
    return [
        named(version, core) for version in store.prepared() for core in releases.cores_of(version)
    ]


# -- scripts, and what they print ------------------------------------------------------------------


def scripts(wanted: Sequence[Finding]) -> dict[str, str]:
    """The source of the script of each, and of its control: those that are not written by hand are
    written in processes of their own.
    """
    by_hand = {one.name: one.by_hand.read_text("utf-8") for one in wanted if one.by_hand.exists()}
    left = [one for one in wanted if one.name not in by_hand]
    by_system = {one.system for one in left}
    asked = {
        system: [one.name for one in left if one.system == system] for system in sorted(by_system)
    }
    found = [_worker(system, {"write": names}) for system, names in asked.items()]
    return by_hand | {name: source for written in found for name, source in written.items()}


def runs(sources: Mapping[str, str], on: Iterable[str]) -> Runs:
    """What every script prints on every system that it is for."""
    return {
        system: {
            name: Printed(*printed)
            for name, printed in _worker(
                system, {"run": {n: s for n, s in sources.items() if _is_for(s, system)}}
            ).items()
        }
        for system in on
    }


def _is_for(source: str, system: str) -> bool:
    """A script that looks into the nodes of the Python core is for that core."""
    return core_in(system) == PYTHON or "tree_core_backend" not in source


def _worker(system: str, task: object) -> dict[str, str]:
    """A task done in a process of its own, which runs one release."""
    done = subprocess.run(
        [sys.executable, __file__, "--worker", system],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{system}: ended with {done.returncode}: {done.stderr}")
    result: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return result


def work(system: str, task: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    """What a worker does: it writes scripts, or runs them, each in a process of its own.

    SGLang numbers its nodes through, so that a message may depend on what the process did before.
    """
    if "write" in task:
        shim.load(store.locate(version_in(system)))
        return {
            name + kind: source for name in task["write"] for kind, source in _written(name).items()
        }
    from radixproof.impl.sglang.run import prepare

    prepare(system.removeprefix(PREFIX))
    return {name: _run(source) for name, source in task["run"].items()}


def _written(name: str) -> dict[str, str]:
    (finding,) = (one for one in findings() if one.name == name)
    done = in_child(lambda: dict(_sources(finding)))
    if isinstance(done, Died):
        raise SystemExit(f"what writes the script of {name} {done.how}")
    return done


def _sources(finding: Finding) -> Iterable[tuple[str, str]]:
    """The script and, if it has one, its control: the steps of another history, judged alike."""
    from radixproof.properties.reporting import for_sglang

    history, signature = finding.history(), finding.signatures[0]
    yield "", for_sglang.source(finding.system, history, signature, script=True)
    if finding.control:
        other = finding.history(CONTROL)
        yield CONTROL, for_sglang.control(finding.system, history, signature, other)


def _run(source: str) -> tuple[str, int]:
    done = in_child(partial(_printed, source))
    return (f"{done.how}\n", 1) if isinstance(done, Died) else done


def _printed(source: str) -> tuple[str, int]:
    """What Python would show of a script, and its exit code."""
    shown = io.StringIO()
    code: object = 0
    with redirect_stdout(shown), redirect_stderr(shown):
        try:
            exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            code = end.code
            if isinstance(code, str):
                print(code)
        except BaseException as error:  # which a script does not catch, such as a panic of Rust
            print(*format_exception_only(error), sep="", end="")
            code = 1
    return shown.getvalue(), code if isinstance(code, int) else 1


if __name__ == "__main__":
    print(json.dumps(work(sys.argv[2], json.load(sys.stdin))))
