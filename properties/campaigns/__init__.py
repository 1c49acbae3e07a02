"""Many searches of many systems, for hours, kept in a store and told on one page."""
