"""Many systems in one table: what was found in each, by property, and which known bugs it has."""
