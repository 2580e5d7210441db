"""The command line, ``stochreset ...``: a thin layer over the packages, which it imports only when needed.

Each command is a function in one of these files; `stochreset.cli.entry` ties them together.
"""

from stochreset.cli.entry import app, main

__all__ = ["app", "main"]
