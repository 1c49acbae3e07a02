"""Following a system: its choices are judged by the rules, and adopted.

A follower does to the specification what it saw a system do, with the specification's own
transitions, and returns a breach for everything that was not legal. The wording of breaches is in
`radixproof.model.following.breaches`.
"""
