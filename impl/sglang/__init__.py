"""SGLang's own released code as a system under test, on a CPU: its real tree, controller and pools.

From low to high; each imports only what comes before it:

- `names` says which SGLang the name of a system stands for; `store` keeps releases on disk;
  `releases` has the rules in which they differ.
- `api` is what an imported release offers, and how that is called; `memory` has the pools per
  component, `cores` the nodes, and `parts` builds a cache of both.
- `shim` imports a release, with `stand_ins` for what it does not need and `copies` for its streams.
- `locking` has the locks of requests; `transfers` plays the scheduler to its copies; `victims`
  notices an eviction that does not end; `view` observes it; `adapter` is the `System`.
- `paste` writes findings as self-contained tests and scripts; `plugin` runs such tests on a CPU,
  and `run` such scripts.
"""
