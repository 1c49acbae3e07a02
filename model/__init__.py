"""The specification: what a prefix cache with a device and a host tier must do.

Pure Python, standard library only. This package knows nobody: not the systems under test, not
Hypothesis, not torch. Rules cite `docs/semantics.md` by number, for example "semantics 6.2".

`config`, `key`, `dialect` and `verdict` are its vocabulary, which everybody may use.
`specification` has the rules and the transitions, a file a chapter. `following` has how a system
is followed where the rules leave it a choice.
"""
