"""Docstrings as Markdown: Sphinx's roles for mathematics become dollars, names in backticks become links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from griffe import Alias, Class, Extension, Function, Module

MATH_BLOCK = re.compile(r"^([ ]*)\.\. math::((?:[^\n]*\n?)(?:\1[ ]+[^\n]*\n?)*)", re.MULTILINE)
MATH_ROLE = re.compile(r":math:`([^`]+)`")
NAME = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)`(?![`\w])")
PACKAGES = ("theory", "stochreset", "training")
SHOWN = re.compile(r"^::: (\S+)$", re.MULTILINE)
REFERENCE = Path(__file__).resolve().parents[1] / "reference"


def documented() -> set[str]:
    """Names that the pages of the reference show, with their modules."""
    return {
        name for page in REFERENCE.glob("*.md") for name in SHOWN.findall(page.read_text(encoding="utf-8"))
    }


class Docstrings(Extension):
    """Rewrites every docstring of a package once it is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.documented = documented()

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Rewrite all docstrings of a package."""
        self._visit(pkg)

    def _visit(self, item: Any) -> None:
        if isinstance(item, Alias):
            return
        if item.docstring is not None:
            item.docstring.value = self.rewrite(item.docstring.value, item.path)
        if isinstance(item, Module | Class):
            for member in item.members.values():
                self._visit(member)
        elif isinstance(item, Function):
            return

    def rewrite(self, text: str, path: str) -> str:
        """One docstring; ``path`` says whose it is."""
        text = MATH_BLOCK.sub(lambda m: f"{m[1]}$${' '.join(m[2].split())}$$\n", text)
        text = MATH_ROLE.sub(r"$\1$", text)
        # Doctests and indented formulas are no prose.
        lines = text.split("\n")
        for row, line in enumerate(lines):
            if not line.lstrip().startswith((">>>", "...")):
                lines[row] = NAME.sub(lambda m: self._link(m[1], path), line)
        return "\n".join(lines)

    def _link(self, name: str, path: str) -> str:
        target = self.resolve(name, path)
        return f"`{name}`" if target is None else f"[`{name}`][{target}]"

    def resolve(self, name: str, path: str) -> str | None:
        """Where a name leads from a docstring: as it stands, in an enclosing module, or the only one of its package."""
        if name in self.documented:
            return None if name == path else name
        parts = path.split(".")
        for end in range(len(parts), 0, -1):
            found = ".".join([*parts[:end], name])
            if found in self.documented:
                return found
        # A full name may be that of the module in which something is defined, not of the one that shows it.
        package, last = parts[0], name
        if name.split(".")[0] in PACKAGES:
            package, last = name.split(".")[0], name.split(".")[-1]
        ends = [
            each for each in self.documented if each.startswith(f"{package}.") and each.endswith(f".{last}")
        ]
        return ends[0] if len(ends) == 1 else None
