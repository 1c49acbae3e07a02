"""With pytest: the toy cache goes through thousands of operations, and each is checked."""

import radixproof

TestToyCache = radixproof.state_machine(radixproof.find("toy_adapter:target")).TestCase
