"""A class of a lecturer and two students."""

from collections.abc import Callable

import pytest

from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import Visitor, join, visitor_of

JoinAs = Callable[..., Visitor]


@pytest.fixture
def settings(in_class: Callable[..., ClassSettings]) -> ClassSettings:
    """Turn the class on."""
    return in_class()


@pytest.fixture
def anna(settings: ClassSettings) -> Visitor:
    """Return a student."""
    return join(visitor_of("token of anna"), "Anna")


@pytest.fixture
def ben(settings: ClassSettings) -> Visitor:
    """Return another student."""
    return join(visitor_of("token of ben"), "Ben")


@pytest.fixture
def lecturer(settings: ClassSettings) -> Visitor:
    """Return the lecturer."""
    return join(visitor_of("token of the lecturer"), "Dr. Meier", settings.key)
