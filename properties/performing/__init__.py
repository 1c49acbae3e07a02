"""Operations are carried out on a system under test, and what came of each is written down.

Nothing here knows the model: requests and their rows, ranks, steps and outcomes.
"""
