"""The systems under test. They know the model's vocabulary (configurations, keys,
dialects), never its rules.
"""
