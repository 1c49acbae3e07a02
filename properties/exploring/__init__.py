"""Small scopes, all of it: every history of a few operations, judged, up to states that are alike.

A random search says that it has found nothing yet; an exploration, that there is nothing.
"""
