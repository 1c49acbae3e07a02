"""The specification: a file for each chapter of docs/semantics.md, rules and transitions alone.

A *rule* is a pure function of the state: who may go, in which order, how much is needed. A
*transition* has one effect: a node is split, locked, backed up, taken off the device. Where rules
leave a choice (which victim, which backups) an operation is given a *chooser*: the strict ones here
take what comes first, and with them the specification runs alone. The choosers that follow a system
are in `radixproof.model.following`.
"""
