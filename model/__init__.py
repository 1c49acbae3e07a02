"""The specification: what a prefix cache with a device and a host tier must do.

Pure Python, standard library only. This package knows nobody: not the systems under test, not Hypothesis, not torch.

Rules cite `docs/semantics.md` by section number, for example "semantics 6.2".
"""
