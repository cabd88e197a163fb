"""Who asks: the visitors of a class by the token that their browser keeps, and the lecturer."""

import contextlib
import hashlib
import hmac
import time
from dataclasses import dataclass

from lymph.classroom.settings import ClassSettings, class_settings
from lymph.database import reading, transaction
from lymph.errors import ClassError, DatabaseError, DiskError
from lymph.text import printable

LONGEST_NAME = 40
LECTURER = "the lecturer"
# A visitor is noted as seen at most this often: a page is no reason to write.
SEEN_SECONDS = 30.0


@dataclass(frozen=True)
class Visitor:
    """Who asks for something.

    Attributes
    ----------
    id : str
        Tells visitors apart; made of the browser's token, which it does not give away.
    name : str
        Stands on what they start; empty before they gave one.
    lecturer : bool
        Whether they gave the lecturer's key.
    free : bool
        Whether this is no class: everybody may do everything.
    """

    id: str = ""
    name: str = ""
    lecturer: bool = False
    free: bool = False

    @property
    def may_all(self) -> bool:
        """Tell whether what belongs to others is theirs to change, too."""
        return self.free or self.lecturer


FREE = Visitor(free=True)


def visitor_of(token: str) -> Visitor:
    """Return who keeps a token; without a class, everybody is :data:`FREE`.

    Raises
    ------
    DatabaseError
        When the database cannot be read.
    """
    settings = class_settings()
    if settings is None:
        return FREE
    own = id_of(token)
    with reading() as database:
        query = "SELECT name, key, seen FROM visitors WHERE id = ?"
        row = database.execute(query, [own]).fetchone()
    if row is None:
        return Visitor(own)
    name, key, seen = row
    if time.time() - seen > SEEN_SECONDS:
        _note_seen(own)
    return Visitor(own, name, hmac.compare_digest(key, _digest_of(settings)))


def id_of(token: str) -> str:
    """Return a visitor's id; nobody gets back to the token from it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def _digest_of(settings: ClassSettings) -> str:
    return hashlib.sha256(settings.key.encode()).hexdigest()


def _note_seen(own: str) -> None:
    # Nobody is kept out because somebody else writes just now.
    with contextlib.suppress(DatabaseError, DiskError), transaction() as database:
        database.execute("UPDATE visitors SET seen = ? WHERE id = ?", [time.time(), own])


def give_name(who: Visitor, name: str) -> Visitor:
    """Give a visitor a name, or another one; of equal names the later gets a number.

    Raises
    ------
    ClassError
        When the name is empty or too long.
    """
    wanted = printable(name)
    if not wanted or len(wanted) > LONGEST_NAME:
        raise ClassError(f"Give a name of 1 to {LONGEST_NAME} letters.")
    with transaction() as database:
        others = database.execute("SELECT name FROM visitors WHERE id != ?", [who.id])
        taken = {row[0].casefold() for row in others} | {LECTURER}
        free, count = wanted, 2
        while free.casefold() in taken:
            free, count = f"{wanted} ({count})", count + 1
        database.execute(
            "INSERT INTO visitors (id, name, seen) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            [who.id, free, time.time()],
        )
    return Visitor(who.id, free, who.lecturer)


def join(who: Visitor, name: str, key: str = "") -> Visitor:
    """Let a visitor in under a name, and with the key as the lecturer.

    Parameters
    ----------
    who : Visitor
    name : str
    key : str
        Capitals, spaces and hyphens do not count.

    Raises
    ------
    ClassError
        As :func:`give_name`, and when a key is given that is not the lecturer's.
    """
    settings = class_settings()
    if not key.strip():
        return give_name(who, name)
    if settings is None or not hmac.compare_digest(_letters(key), _letters(settings.key)):
        raise ClassError(
            "This is not the lecturer's key; it is shown where the server was started."
        )
    named = give_name(who, name)
    with transaction() as database:
        database.execute("UPDATE visitors SET key = ? WHERE id = ?", [_digest_of(settings), who.id])
    return Visitor(who.id, named.name, lecturer=True)


def _letters(key: str) -> bytes:
    return "".join(letter for letter in key.upper() if letter.isalnum()).encode()
