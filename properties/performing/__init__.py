"""Operations are carried out on a system under test, and the outcome of each is recorded.

Nothing here knows the model.
"""
