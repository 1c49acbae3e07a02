"""How a system is followed: its choices are judged by the rules, and adopted.

A follower does to the specification what it saw a system do, with the specification's own
transitions, and returns a breach for everything that was not legal. How breaches are worded is in
`radixproof.model.following.breaches`.
"""
