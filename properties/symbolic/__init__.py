"""Contracts of the model's pure rules, and CrossHair, which looks for values that break them."""
