"""``python -m lymph``."""

import sys

from lymph.cli import main

if __name__ == "__main__":
    sys.exit(main())
