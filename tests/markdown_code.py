"""Code blocks of Markdown pages: what is shown, run as it is shown."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(?P<language>\w*)(?P<info>[^\n]*)\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]*)"')
NOT_RUN = re.compile(r"<!-- not run: [^\n]+ -->\n+\Z")
SLOW = re.compile(r"<!-- slow: [^\n]+ -->\n+\Z")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?!\w)")


@dataclass(frozen=True)
class Block:
    """A fenced block; ``output`` is that of the block after it, where it shows one, exactly or about."""

    page: str
    line: int
    language: str
    title: str
    text: str
    skipped: bool
    slow: bool
    output: str | None
    about: bool


def blocks(path: Path) -> list[Block]:
    """The blocks of a page, in order."""
    source = path.read_text(encoding="utf-8")
    found = list(FENCE.finditer(source))
    result = []
    for match, after in zip_longest(found, found[1:]):
        title = TITLE.search(match["info"])
        after_title = TITLE.search(after["info"]) if after else None
        shown = after_title is not None and after_title[1].startswith("Output")
        result.append(
            Block(
                page=path.name,
                line=source.count("\n", 0, match.start()) + 1,
                language=match["language"],
                title=title[1] if title else "",
                text=match["text"],
                skipped=bool(NOT_RUN.search(source[: match.start()])),
                slow=bool(SLOW.search(source[: match.start()])),
                output=after["text"] if shown and after else None,
                about=bool(shown and after_title and "about" in after_title[1]),
            )
        )
    return [block for block in result if not block.title.startswith("Output")]


def commands(block: Block) -> Iterator[list[str]]:
    """The calls of ``stochreset`` in a block of shell, as lists of arguments."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        if words and words[0] == "stochreset":
            yield words[1:]


def run_block(block: Block, names: dict[str, Any]) -> str:
    """Run a block where it stands; returns what it prints, and the error that it ends with where one is shown."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            if block.language == "python":
                exec(compile(block.text, f"{block.page}:{block.line}", "exec"), names)
            else:
                for arguments in commands(block):
                    run_command(arguments)
        except Exception as error:
            if block.output is None or (block.output and type(error).__name__ not in block.output):
                raise
            printed.write(f"{type(error).__name__}: {error}\n")
    return printed.getvalue()


def run_command(arguments: list[str]) -> None:
    """Call the command line; errors of use or data only print."""
    from stochreset.cli import main

    for redirect in (">", "|"):
        if redirect in arguments:
            at = arguments.index(redirect)
            target, arguments = arguments[at + 1 :], arguments[:at]
            with open(target[0], "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
                with contextlib.suppress(SystemExit):
                    main(arguments)
            return
    with contextlib.suppress(SystemExit):
        main(arguments)


def same(shown: str, printed: str, about: bool) -> bool:
    """Whether what is shown is what is printed; ``...`` in it stands for anything, numbers may be equal about."""
    shown, printed = (" ".join(text.split()) for text in (shown, printed))
    if about:
        numbers = [[float(n.replace(",", "")) for n in NUMBER.findall(text)] for text in (shown, printed)]
        if len(numbers[0]) == len(numbers[1]) and all(
            max(abs(a), abs(b)) <= 3 * min(abs(a), abs(b)) + 1 for a, b in zip(*numbers, strict=True)
        ):
            shown, printed = (NUMBER.sub("#", text) for text in (shown, printed))
    pattern = ".*".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in a folder, from which modules can be imported."""
    before, modules = os.getcwd(), set(sys.modules)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        os.chdir(before)
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
                forget(name)


def forget(module: str) -> None:
    """Take out of the registry what a module of a page has registered there."""
    perturbations = sys.modules.get("training.perturbations")
    kinds = perturbations.KINDS if perturbations else {}
    for name in [name for name, kind in kinds.items() if kind.__module__ == module]:
        del kinds[name]


def run_page(path: Path, folder: Path, slow: bool = False) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page in a folder, with ``slow`` all of them; yields each that ran with what it printed.

    A block with a file name as its title is written to that file first; a Python module or a configuration is then
    used by later blocks.
    """
    names: dict[str, Any] = {"__name__": "page"}
    with working_in(folder):
        for block in blocks(path):
            if block.skipped or (block.slow and not slow):
                continue
            if re.fullmatch(r"[\w-]+\.(py|toml)", block.title):
                (folder / block.title).write_text(block.text, encoding="utf-8")
            elif block.language == "python" or (block.language == "sh" and block.output is not None):
                yield block, run_block(block, names)
