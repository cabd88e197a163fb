"""BROKEN ON PURPOSE: the notebook's faults, kept alive so that a class can watch them happen.

Nothing outside this room may import it but ``the Lessons page``; ``make lint`` checks that. Each
lesson is a folder: ``words`` has its text and what its figures say, ``experiment`` one function
``run(data, tell=..., ...)`` that returns the figures as plain values, ``broken`` and ``fixed`` the
lines that it shows, which a test runs. :mod:`lymph.lessons.catalogue` lists the folders in order.
Everything that is not the fault itself is lymph's real loop, data and splits.

This file and ``catalogue``, ``arithmetic``, ``findings``, ``lesson``, ``live``, ``notebook``,
``colour_views`` and every ``words`` need no torch, so that pages open quickly.
"""
