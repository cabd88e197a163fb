"""Words that pages, commands and reports write alike."""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun in the singular or the plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
