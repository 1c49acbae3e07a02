"""``python -m radixproof``."""

import sys

from radixproof.properties.cli.main import main

sys.exit(main())
