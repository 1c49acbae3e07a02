"""What must hold after every step: the model's answers and the system's, compared.

`judge` judges one step: what the model makes of its operation is in `judgements`, a class for each
kind; what else it is held to, in `step_checks` (one step) and `state_checks` (the whole state); and
`abstraction` unrolls the system's nodes into pages.
"""
