"""``python -m lymph.training MODEL``: measure how fast this machine trains a model, and keep it."""

import sys

from lymph.errors import LymphError
from lymph.training.precision import precision_here

try:
    precision_here(sys.argv[1])
except LymphError as error:
    sys.exit(f"lymph: {error}")
