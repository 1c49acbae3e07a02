"""The systems under test. They know the model's vocabulary (operations, observations), never its
rules.
"""
