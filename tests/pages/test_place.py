"""Where pictures go is said as it is for this visitor."""

import socket

import pytest

from pages.shared.place import on_server_machine


@pytest.mark.parametrize(
    ("address", "headers", "here"),
    [
        (None, {"Host": "localhost:8501"}, True),
        (None, {"Host": "127.0.0.1:8501"}, True),
        (None, {"Host": "[::1]:8501"}, True),
        (None, {"Host": socket.gethostname()}, True),
        ("127.0.0.1", {"Host": "localhost"}, True),
        (None, {}, True),
        # A visitor; an address of a network that no computer has.
        ("203.0.113.7", {"Host": "203.0.113.1:8501"}, False),
        ("203.0.113.7", {"Host": "localhost:8501"}, False),
        # A proxy on the server's own computer asks for a visitor.
        (None, {"Host": "lymph.example.org"}, False),
        (None, {"Host": "localhost", "X-Forwarded-For": "203.0.113.7"}, False),
        ("0.0.0.0", {"Host": "localhost"}, False),
    ],
)
def test_a_visitor_is_told_from_the_computers_own_user(
    address: str | None, headers: dict[str, str], here: bool
) -> None:
    """Regression: "the pictures stay on this computer" was false for every visitor of a server."""
    assert on_server_machine(address, headers) is here
