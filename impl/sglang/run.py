"""Run a script with SGLang's own calls on a release from the store, without a GPU.

``python -m radixproof.impl.sglang.run 0.5.23+rust SCRIPT`` imports that release, as `shim` does,
lets SGLang choose that core where the script does not, and runs the script as Python does. With an
SGLang that is installed, and a GPU, the script needs none of this.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from pathlib import Path

from radixproof.impl.sglang import shim, store
from radixproof.impl.sglang.names import CHOICE, core_in, version_in
from radixproof.impl.system import Unavailable


def prepare(release: str) -> None:
    """Let scripts of this process run on a release, such as ``0.5.23+rust``. Raises `Unavailable`.

    The choice is made when the release has been imported: until then caches are built of which it
    is none of the script's business. Threads that SGLang starts do run.
    """
    shim.on_cpu(store.locate(version_in(release)))
    shim.let_threads_run()
    os.environ[CHOICE] = core_in(release)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m radixproof.impl.sglang.run")
    parser.add_argument("release", help="as in 0.5.23, or 0.5.23+rust for its core in Rust")
    parser.add_argument("script", type=Path)
    asked = parser.parse_args(arguments)
    if not asked.script.is_file():
        parser.error(f"there is no file {asked.script}")
    try:
        prepare(asked.release)
    except Unavailable as error:
        parser.error(str(error))
    sys.argv = [str(asked.script)]
    runpy.run_path(str(asked.script), run_name="__main__")


if __name__ == "__main__":
    main()
