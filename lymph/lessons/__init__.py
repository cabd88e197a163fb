"""BROKEN ON PURPOSE: the notebook's faults, kept alive so that a class can watch them happen.

Nothing outside this room may import it but ``pages/lessons.py``; ``make lint`` checks that. Each
lesson is a module with one function ``run(data, tell=..., ...)`` that returns its figures as plain
values, and a record of its words in :mod:`lymph.lessons.catalogue`. The quick ones, from studies,
are a folder each: ``experiment`` with that function, and ``words`` with the record and what its
figures say. Everything that is not the fault itself is lymph's real loop, data and splits.

This file and ``catalogue``, ``arithmetic``, ``findings``, ``lesson``, ``live``, ``notebook``,
``stain`` and every ``words`` need no torch, so that pages open quickly.
"""
