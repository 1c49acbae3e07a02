"""What must hold after every step: the model's answers and the system's, compared.

`judgements` has the model's view of each kind of operation, and `judge` puts it to use; further
checks are in `step_checks` (one step), `content_checks` (what slots hold) and `state_checks` (the
whole state). `abstraction` unrolls the system's nodes into pages.
"""
