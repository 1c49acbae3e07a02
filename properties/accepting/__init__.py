"""A system that was built is accepted: it has the methods that its scope calls for, and what it
answers has the form that the protocols ask for.

What is wrong here is a mistake of the adapter, and nothing is known of the cache behind it.
"""
