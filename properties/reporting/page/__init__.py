"""A finding as one page of HTML: its steps, the tree after each, and what the rules wanted."""
