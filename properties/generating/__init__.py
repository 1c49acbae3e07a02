"""Where operations come from: configurations, prompts and operations, made from small numbers.

A seeded search and Hypothesis both draw from here, guided by the model's state.
"""
