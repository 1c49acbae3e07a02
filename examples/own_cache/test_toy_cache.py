"""With pytest: the toy cache goes through thousands of operations, and each is checked."""

import radixproof
from toy_adapter import target

TestToyCache = radixproof.state_machine(target).TestCase
