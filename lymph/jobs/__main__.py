"""``python -m lymph.jobs MODULE FOLDER``; the worker itself is imported once, as all import it."""

from lymph.jobs.worker import main

main()
