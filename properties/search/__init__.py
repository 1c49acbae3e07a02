"""From a budget of time or steps to findings: the search, and the minimiser that shortens them."""
