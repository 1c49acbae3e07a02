"""SGLang's own released code, run on a CPU with its real tree, controller and pools, as a system under test.

`store` keeps releases on disk, `shim` imports one of them with `stand_ins` for what it does not need, `copies` replaces its streams
by ones that run when told, `pools` builds a cache, `content` and `view` look at it, and `adapter` is the `System`.
"""
