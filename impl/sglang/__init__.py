"""SGLang's own released code, run on a CPU with its real tree, controller and pools, as a system under test.

`store` keeps releases on disk, `shim` imports one of them with `stand_ins` for what it does not need, `copies` replaces its streams
by ones that run when told, `pools` builds a cache, `transfers` plays the scheduler to its copies, `victims` notices an eviction
that does not end, `content` and `view` look at the cache, and `adapter` is the `System`. What can be asked of which release is in
`releases`. `paste` writes findings as tests of their own.
"""
