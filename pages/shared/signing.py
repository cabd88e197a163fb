"""Addresses of the server's own that a page hands out: signed, so that nobody can make one up."""

import hmac

from streamlit import config


def signed(*what: str) -> str:
    """Return what proves that this server named something, until it is started again."""
    secret = str(config.get_option("server.cookieSecret")).encode()
    return hmac.new(secret, "\0".join(what).encode(errors="surrogateescape"), "sha256").hexdigest()


def is_signed(proof: str, *what: str) -> bool:
    """Tell whether a proof is this server's, for these words."""
    return hmac.compare_digest(proof.encode(errors="replace"), signed(*what).encode())


def below_base(path: str) -> str:
    """Return where the server answers under a path of ours, given the path it is served at."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/{path}" if base else f"/{path}"
