"""The minimiser: from a history that fails to a shortest one that fails in the same way."""

from radixproof.properties.search.minimise.best import Fails
from radixproof.properties.search.minimise.passes import minimise

__all__ = ["Fails", "minimise"]
