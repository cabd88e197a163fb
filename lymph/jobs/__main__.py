"""``python -m lymph.jobs MODULE FOLDER``; the worker itself is imported once, as all import it."""

import os

# At low priority from the first import on: thirty that start at once would take the pages' time.
if hasattr(os, "nice"):
    os.nice(10)

from lymph.jobs.worker import main

main()
