"""Work in processes of its own: lanes, pools and clusters that do jobs and tell what came of it."""
