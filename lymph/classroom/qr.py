"""QR codes that lead a phone to an address of the class."""

import io

import segno

# Letters; a phone reads no code of more across a room, and a code holds 2,331 at most.
LONGEST = 1_000


def in_terminal(address: str) -> str:
    """Return a QR code in half blocks, for a terminal."""
    out = io.StringIO()
    segno.make(address, error="m").terminal(out, compact=True, border=2)
    return out.getvalue()


def as_picture(address: str) -> bytes:
    """Return a QR code as PNG, black on white whatever the page's colours are."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="png", scale=12, border=3)
    return out.getvalue()
