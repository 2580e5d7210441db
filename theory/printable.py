"""Text from files, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return a text on one line, without characters that a terminal could take for commands.

    Examples
    --------
    >>> printable("\x1b[2Jseed")
    '\\x1b[2Jseed'
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
