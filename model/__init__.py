"""The specification: what a prefix cache with a device and a host tier must do.

Pure Python, standard library only. It imports nothing else: neither the systems under test, nor
Hypothesis, nor torch. Rules cite `docs/semantics.md` by number, for example "semantics 6.2".

`config`, `key`, `dialect` and `verdict` are its vocabulary, which every package may use.
`specification` has the rules and the transitions, a file a chapter. `following` judges and adopts
what a system does where the rules leave it a choice.
"""
