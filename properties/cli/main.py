"""The command line: a parser, and how errors become a sentence and an exit code.

Each command is a module whose ``add`` declares its arguments. It imports what it needs when it is
run: ``--help`` must not wait for torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from radixproof import __version__
from radixproof.impl.registry import UnknownSystem
from radixproof.impl.system import Unavailable
from radixproof.properties.cli import check, corpus, faults, power, replay, shrink, systems
from radixproof.properties.cli.exit_codes import CANNOT_RUN, IN_WORDS, USAGE, UsageError

COMMANDS = (check, replay, shrink, systems, faults, corpus, power)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except (UsageError, UnknownSystem) as error:
        print(f"radixproof: {error}", file=sys.stderr)
        return USAGE
    except Unavailable as error:
        print(f"radixproof: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("radixproof: interrupted", file=sys.stderr)
        return CANNOT_RUN
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; let the interpreter close stdout quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT_RUN
    except OSError as error:
        what, where = error.strerror or error, error.filename or "the output"
        print(f"radixproof: {what}: {where}", file=sys.stderr)
        return CANNOT_RUN


def _parser() -> argparse.ArgumentParser:
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
