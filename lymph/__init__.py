"""Learning and teaching how pictures of malignant lymphoma are classified.

The rooms, in the order in which data flow through them: ``data`` (pictures on disk to a table and
to pixels), ``splits`` (who trains, validates and tests), ``models``, ``training``, ``runs`` (the
run folder), ``evaluation``, ``explain``, ``inference`` and ``charts``. Imports run one way, down
this list. ``jobs``, before them all, runs what takes longer than a click.
"""

__version__ = "0.1.0"
