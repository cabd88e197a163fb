"""Visitors and their names, and the lecturer by the key."""

from collections.abc import Callable

import pytest

from lymph.classroom.settings import VARIABLE, ClassSettings, class_settings, new_key
from lymph.classroom.who import LONGEST_NAME, Visitor, join, visitor_of
from lymph.errors import ClassError


def test_a_name_is_given_once_and_kept(settings: ClassSettings) -> None:
    assert visitor_of("a token") == Visitor(visitor_of("a token").id)
    join(visitor_of("a token"), "  Zoë\n Müller ")
    assert visitor_of("a token").name == "Zoë Müller" and not visitor_of("a token").may_all
    assert visitor_of("another token").name == ""
    assert "token" not in visitor_of("a token").id


def test_equal_names_are_told_apart(anna: Visitor, settings: ClassSettings) -> None:
    second = join(visitor_of("another token"), "anna")
    assert second.name == "anna (2)"
    assert join(second, "anna").name == "anna (2)" and join(anna, "Anna").name == "Anna"
    assert join(visitor_of("a third"), "The Lecturer").name == "The Lecturer (2)"


@pytest.mark.parametrize("name", ["", " \n", "a" * (LONGEST_NAME + 1)])
def test_no_name_and_a_long_one_are_refused(settings: ClassSettings, name: str) -> None:
    with pytest.raises(ClassError, match="Give a name"):
        join(visitor_of("a token"), name)


@pytest.mark.parametrize("key", ["ABCD-EFGH-JKLM", "abcd efgh jklm", " abcdefghjklm "])
def test_the_key_makes_a_lecturer(settings: ClassSettings, key: str) -> None:
    assert join(visitor_of("a token"), "Dr. Meier", key).may_all
    assert visitor_of("a token").lecturer and visitor_of("a token").name == "Dr. Meier"


@pytest.mark.parametrize("key", ["ABCD-EFGH-JKLN", "-", "ABCD", "Ä"])
def test_another_key_does_not(settings: ClassSettings, key: str) -> None:
    """And the name is not given either: nobody is in as a student by a slip of the pen."""
    with pytest.raises(ClassError, match="not the lecturer's key"):
        join(visitor_of("a token"), "Dr. Meier", key)
    assert visitor_of("a token").name == ""


def test_a_new_class_has_a_new_lecturer(
    lecturer: Visitor, in_class: Callable[..., ClassSettings]
) -> None:
    """A key that was seen on a projector last week opens nothing today."""
    in_class(key=new_key())
    assert visitor_of("token of the lecturer").name == "Dr. Meier"
    assert not visitor_of("token of the lecturer").lecturer


def test_keys_are_not_guessed_from_one_another() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert all(len(key) == 14 and "O" not in key and "0" not in key for key in [new_key()])


@pytest.mark.parametrize(
    "text", ["1", "{", "{}", '{"key": ""}', '{"key": 1}', '{"key": "a", "b": 1}']
)
def test_a_class_that_cannot_be_read_is_not_taken_for_freedom(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ClassError, match="python -m lymph serve"):
        visitor_of("a token")


def test_settings_come_back_from_their_text(in_class: Callable[..., ClassSettings]) -> None:
    asked = in_class(folders=("/a", "/b"), weights=("/w.pth",), upload_mb=5)
    assert class_settings() == asked
