"""``python -m radixproof``."""

import sys

from radixproof.properties.cli import main

sys.exit(main())
