"""Long searches: shards of work in processes of their own, merged into one result."""
