"""``python -m radixproof``."""

import sys

from radixproof.program import main

if __name__ == "__main__":
    sys.exit(main())
