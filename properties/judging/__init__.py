"""What must hold after every step: the model's answers and the system's, compared.

`judge` has one check for each kind of operation; what the rest holds it to is in `step_checks` (one
step) and `state_checks` (the whole state), and `abstraction` unrolls the system's nodes into pages.
"""
