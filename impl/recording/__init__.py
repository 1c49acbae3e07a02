"""Record what a live cache is told to do, and what comes of it, as a trace: a log in which prompts
are pseudonyms.

In the server's process there is only a tap (`tap`) on the cache's methods (`sglang`, `radix`), with
nothing but Python's own library. What it notes goes to a process of its own (`scribe`), which gives
pseudonyms and writes: nothing that happens there, a full disk included, reaches the server.
"""
