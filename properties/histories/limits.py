"""How large a history may be that is read from a file: every limit there is.

Files come from strangers, and what they ask for is built. So sizes are looked at before anything is
built from them; a refusal names the limit and what the file has. The rules that are checked show in
small caches: histories that a search makes stay far below all of these.
"""

from __future__ import annotations

MOST_BYTES = 64 * 2**20
"""Of a file."""
MOST_OPERATIONS = 50_000
MOST_TOKENS = 100_000
"""Of one prompt, or generated in one step."""
MOST_TOKENS_IN_ALL = 5_000_000
"""Of all operations together."""
MOST_RANKS = 64
MOST_SLOTS = 1_000_000
"""In all pools of all ranks together."""
LARGEST_NUMBER = 2**31 - 1
LONGEST_NAME = 1_000
"""Characters of the name of a receipt, a request or a namespace."""
LONGEST_ORIGIN = 10_000
"""Characters of a text in the origin, or of its name."""

MOST_BRACKETS = 2 * MOST_OPERATIONS + 1_000
"""Opening brackets in a file: an operation has one of its own, and one for its tokens; a text in
the origin may have some.
"""
MOST_VALUES = MOST_TOKENS_IN_ALL + 10 * MOST_OPERATIONS
"""Values in a file, counted by its commas."""

LONGEST_LINE = 16 * 2**20
"""Bytes of a line of a trace: a prompt of a million pages. Traces are of real servers, and have
limits of their own.
"""
MOST_SLOTS_OF_A_SERVER = 16_000_000
MOST_TOKENS_OF_A_TRACE = 200_000_000
"""Of all its keys together: a few gigabytes."""
