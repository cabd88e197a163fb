"""What a part of a page is drawn with besides Python: style sheets, scripts and HTML, in files."""

from pathlib import Path


def text_beside(module: str, name: str) -> str:
    """Return the text of a file that lies beside a module, which gives its own ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="utf-8")
