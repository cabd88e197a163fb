"""``python -m lymph``."""

import sys

from lymph.processor import configure_allocator

configure_allocator()  # before torch is loaded

from lymph.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
