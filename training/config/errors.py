"""What is wrong with a configuration, and where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from theory.printable import printable
from training.config.lines import Lines

LONGEST = 60
LONGEST_LINE = 1000
BITS = 64
MOST_PROBLEMS = 100


class ConfigError(ValueError):
    """All that is wrong with a configuration, one line for each problem.

    Attributes
    ----------
    problems : tuple of str
        The lines, in the order of the file.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Source:
    """A configuration file: what it is called, where paths in it start, and what is wrong with it.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    lines : Lines
        Where its keys stand.
    """

    def __init__(self, file: str, lines: Lines) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[tuple[int, str]] = []

    def complain(self, message: str, place: tuple[str | int, ...]) -> None:
        """Note a problem at a place of the file."""
        line = self.lines.of(*place)
        where = self.file if line is None else f"{self.file}, line {line}"
        self.problems.append((line or 0, printable(f"{where}: {message}"[:LONGEST_LINE])))

    def check(self) -> None:
        """Raise if there are problems."""
        if self.problems:
            self.problems.sort(key=lambda each: each[0])
            found = list(dict.fromkeys(text for _, text in self.problems))
            more = len(found) - MOST_PROBLEMS
            raise ConfigError(
                found if more <= 0 else [*found[:-more], f"{self.file}: {more} more like these"]
            )

    def resolve(self, path: str) -> str:
        """Return an absolute path: ``~`` is the home folder, relative paths start at the folder of the file."""
        # Resolved, so that a study is the same one from wherever its file is named.
        try:
            return str(Path(self.file).parent.resolve() / Path(path).expanduser())
        except RuntimeError:
            raise ValueError(f"must be a path, got {show(path)}, whose home folder is not known") from None

    def resolve_inside(self, path: str) -> str:
        """Return an absolute path, which must not lead out of the folder of the file, by symbolic links either."""
        full = self.resolve(path)
        folder = Path(self.file).parent.resolve()
        try:
            inside = Path(full).resolve().is_relative_to(folder)
        except (OSError, RuntimeError, ValueError) as problem:
            raise ValueError(f"must be a path, got {show(path)}: {problem}") from None
        if not inside:
            raise ValueError(
                f"must lie in the folder of the file, {folder}, or below, got {show(path)}; move one of them, or set "
                "it in Python"
            )
        return full


def show(value: Any) -> str:
    """Return a value as TOML writes it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > BITS:
        return f"one of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        shown = ["[...]" if isinstance(each, list) else show(each) for each in value[:6]]
        return f"[{', '.join([*shown, '...'] if len(value) > 6 else shown)}]"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def listed(names: Iterable[str]) -> str:
    """Return names joined by commas, not all of very many."""
    known = list(names)
    return ", ".join([*known[:40], "..."] if len(known) > 40 else known) or "no keys"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the one of ``known`` that is nearest, or nothing.

    Examples
    --------
    >>> did_you_mean("lr", ["momentum", "learning_rate"])
    'did you mean learning_rate? '
    """
    names = list(known)
    low = name[:100].lower().replace("-", "_")
    near = [each for each in names if "".join(word[0] for word in each.split("_")) == low]
    near += get_close_matches(low, names, n=1)
    near += [each for each in names if low in each.split("_")]
    return f"did you mean {near[0]}? " if near else ""
