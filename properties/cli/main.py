"""The command line: a parser, and how errors become a sentence and an exit code.

Each command is a module whose ``add`` declares its arguments. It imports what it needs when it is
run: ``--help`` must not wait for torch.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from radixproof import __version__
from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Unavailable
from radixproof.properties.cli import (
    campaign,
    check,
    corpus,
    explore,
    faults,
    matrix,
    power,
    recording,
    replay,
    report,
    sensitivity,
    shrink,
    systems,
)
from radixproof.properties.cli.exit_codes import CANNOT_RUN, IN_WORDS, USAGE, UsageError
from radixproof.properties.cli.streams import complain, give_up

COMMANDS = (
    check,
    explore,
    matrix,
    campaign,
    recording,
    replay,
    report,
    shrink,
    systems,
    faults,
    corpus,
    power,
    sensitivity,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        return _run(arguments)
    except (UsageError, UnknownSystem) as error:
        complain(error)
        return USAGE
    except Unavailable as error:
        complain(error)
    except KeyboardInterrupt:
        complain("interrupted")
    except BrokenPipeError:
        give_up(sys.stdout)  # its reader (head, less) has gone
    except OSError as error:
        give_up(sys.stdout)
        complain(_failed(error))
    except MemoryError:
        complain("there is not enough memory for this: use a smaller history, or fewer processes")
    except Exception as error:
        # A mistake of ours: it must not end with 1, which says that a system is wrong.
        traceback.print_exc()
        complain(f"radixproof itself failed ({type(error).__name__}); please report this")
    return CANNOT_RUN


def _run(arguments: Sequence[str] | None) -> int:
    """Run it, and write out what it printed, be it help."""
    try:
        options = make_parser().parse_args(arguments)
        code = int(options.run(options))
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code


def _failed(error: OSError) -> str:
    """What the operating system would not do, and with which file."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current folder does not exist any more: change to another one"
    return ": ".join(str(part) for part in (error.strerror, error.filename) if part)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="radixproof",
        description="Check radix-tree KV caches against an executable model.",
        epilog=IN_WORDS,
    )
    parser.add_argument("--version", action="version", version=f"radixproof {__version__}")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(subcommands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
