"""The parts of the Lessons page, and of the vote that a class holds on a lesson's question.

``way`` is where one stands, ``scene`` what a step is drawn from, ``question``, ``run``, ``answer``
and ``fix`` the steps, ``play`` what can be tried, ``vote`` the class's guesses, ``slides`` which
parts a step has: one below the other on a screen, one after the other on a projector.
"""
