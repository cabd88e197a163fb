"""``python -m lymph``."""

import os
import sys

# Before torch is loaded: threads that spin while they wait for each other make a busy machine
# several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from lymph.cli import main

if __name__ == "__main__":
    sys.exit(main())
