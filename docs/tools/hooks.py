"""What the build of the pages does beyond Markdown: mathematics, files of the repository, options of commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "tools")]

from commands import options_table  # noqa: E402
from mathml import MathExtension  # noqa: E402

WHOLE = re.compile(r"^<!-- file: (\S+) -->$", re.MULTILINE)
"""A line that stands for a file of the repository."""
OPTIONS = re.compile(r"^<!-- options: (\S+) -->$", re.MULTILINE)
"""A line that stands for the options of a command."""
SHARED = re.compile(r"\]\((?:\.\./)*(examples/[^)\s]+)\)")
"""A link to an example or to its figure, which the site holds as well."""


def on_config(config: Any) -> Any:
    """Add the mathematics."""
    config.markdown_extensions.append(MathExtension())
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the examples and their figures, which lie beside the folder of the pages."""
    for path in sorted([*ROOT.glob("examples/*.py"), *ROOT.glob("examples/figures/*.png")]):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put in what lines of the page stand for, and set links to the examples right."""
    markdown = WHOLE.sub(lambda m: as_page((ROOT / m[1]).read_text(encoding="utf-8")), markdown)
    markdown = OPTIONS.sub(lambda m: options_table(m[1]), markdown)
    up = "../" * page.file.src_uri.count("/")
    return SHARED.sub(rf"]({up}\1)", markdown)


def as_page(text: str) -> str:
    """Set the links of a file that lies at the root of the repository right for a page."""
    text = text.replace("](docs/", "](")
    return text.replace("](CHANGELOG.md)", "](changelog.md)").replace("](README.md)", "](index.md)")
