"""README and the pages of docs/: they build, their code runs and prints what they show, their names exist."""

import importlib
import pkgutil
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from .markdown_code import blocks, commands, run_page, same

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(path for path in DOCS.glob("*.md") if blocks(path))
TEXTS = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
INSIDE = ("stochreset.cli", "stochreset.kernels")
"""What is not for users to import."""
REFERENCE = re.compile(r"^::: (\S+)$", re.MULTILINE)
CODE_NAME = re.compile(r"(?<!`)`((?:theory|stochreset|training)(?:\.\w+)+)`(?!`)")
FIGURE = re.compile(r"!\[[^\]]*\]\(((?!https?:)[^)\s]+\.(?:png|svg))\)")
README_SLOW = ("search = Brownian(",)
README_SMALLER = {"seeds=range(100)": "seeds=range(10)", "epochs=120": "epochs=62", "10**7": "10**5"}
README_FRAGMENTS = ("loop = OwnLoop(",)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


# Code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_of_a_page_prints_what_is_shown(page, tmp_path):
    pytest.importorskip("torch", reason="the guides train networks")
    for block, printed in run_page(page, tmp_path, slow=True):
        shown = block.output or ""
        assert same(shown, printed, block.about), f"{block.page}, line {block.line}:\n{shown}\nis:\n{printed}"
    from training.perturbations import KINDS

    assert all(kind.__module__.startswith("training.") for kind in KINDS.values()), "left in the registry"


def readme_blocks():
    found = [block for block in blocks(README) if block.language == "python"]
    return [block for block in found if not any(text in block.text for text in README_FRAGMENTS)]


def is_slow(block):
    return any(text in block.text for text in README_SLOW)


@pytest.mark.parametrize(
    "block",
    [pytest.param(b, marks=pytest.mark.slow if is_slow(b) else (), id=f"{b.line}") for b in readme_blocks()],
)
def test_code_of_the_readme_runs(block, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="the README trains networks")
    monkeypatch.chdir(tmp_path)
    text = block.text
    for shown, smaller in README_SMALLER.items():
        text = text.replace(shown, smaller)
    exec(compile(text, f"README.md:{block.line}", "exec"), {"__name__": "readme"})


def test_what_the_readme_marks_is_there():
    text = README.read_text(encoding="utf-8")
    assert all(marker in text for marker in (*README_SLOW, *README_SMALLER, *README_FRAGMENTS))


def test_hardly_any_code_is_not_run():
    skipped = [block for page in PAGES for block in blocks(page) if block.skipped]
    slow = [block for page in PAGES for block in blocks(page) if block.slow]
    assert len(skipped) <= 1 and len(slow) <= 1


@pytest.mark.parametrize(
    ("shown", "printed", "about", "equal"),
    [
        ("mean 1.23\n", "mean  1.23", False, True),
        ("mean 1.23", "mean 1.24", False, False),
        ("in ... epochs", "in 12 epochs", False, True),
        ("in ... epochs", "in 12 days", False, False),
        ("mean 1.23", "mean 1.44", True, True),
        ("mean 12.3", "mean 123", True, False),
        ("mean 1.23", "error 1.23", True, False),
        ("", "anything", False, False),
    ],
)
def test_the_comparison_of_outputs_sees_differences(shown, printed, about, equal):
    assert same(shown, printed, about) is equal


# Command line


def parse(arguments):
    import typer.main

    from stochreset.cli import app

    command = typer.main.get_command(app).commands[arguments[0]]
    command.make_context(arguments[0], list(arguments[1:]))


def shown_commands():
    for path in [README, *PAGES]:
        for block in blocks(path):
            for arguments in commands(block) if block.language == "sh" else ():
                yield pytest.param(arguments, id=f"{path.name}:{block.line}:{arguments[0]}")


@pytest.mark.parametrize("arguments", list(shown_commands()))
def test_commands_exist_with_their_options(arguments):
    if arguments[0] != "COMMAND":
        parse(arguments[: arguments.index(">")] if ">" in arguments else arguments)


def test_the_check_of_commands_sees_an_unknown_option():
    with pytest.raises(Exception, match="--treshold"):
        parse(["rank", "runs.h5", "--treshold", "74"])


def test_every_command_has_a_section():
    from stochreset.cli import app

    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    names = {str(each.name) for each in app.registered_commands}
    assert set(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == names
    assert set(re.findall(r"^<!-- options: (\S+) -->$", text, re.MULTILINE)) == names


def test_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for path in TEXTS:
        shell = "".join(block.text for block in blocks(path) if block.language == "sh")
        assert set(re.findall(r"^make ([a-z-]+)", shell, re.MULTILINE)) <= targets


# Names


def public_modules():
    for package in ("theory", "stochreset", "training"):
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if found.ispkg and not found.name.startswith(INSIDE):
                yield importlib.import_module(found.name)


def resolve(name):
    """The object of a full name: the longest part that is a module, then attributes."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_names_in_the_text_exist(path):
    pytest.importorskip("torch", reason="names of training load torch")
    text = path.read_text(encoding="utf-8")
    for name in {*REFERENCE.findall(text), *CODE_NAME.findall(text)}:
        if not name.endswith((".py", ".toml")):
            resolve(name)


def test_the_check_of_names_sees_one_that_is_not_there():
    with pytest.raises(AttributeError):
        resolve("theory.kaplan_mayer")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages as `make docs` builds them, with warnings as errors."""
    for needed in ("mkdocs", "mkdocstrings", "latex2mathml", "material"):
        pytest.importorskip(needed, reason="the pages need the extra `docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_public_name_is_in_the_reference(site):
    pytest.importorskip("torch", reason="names of training load torch")
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    known = {line.split(" ")[0] for line in zlib.decompress(inventory).decode().splitlines()}
    missing = []
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            home = f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', None)}"
            if f"{module.__name__}.{name}" not in known and home not in known:
                missing.append(f"{module.__name__}.{name}")
    assert not missing
    assert "theory.kaplan_mayer" not in known


def test_pages_need_no_network_and_leave_no_formula_undone(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    formulas = 0
    for page in pages:
        html = page.read_text(encoding="utf-8")
        loads = re.findall(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//[^"]*"', html)
        assert not [tag for tag in loads if 'rel="canonical"' not in tag], page.name
        formulas += html.count("<math ")
        text = re.sub(r"<(code|pre|script)\b.*?</\1>", "", html, flags=re.DOTALL)
        assert not re.search(r"\$\$|:math:|\.\. math::|\\tag|&lt;!--", text), page.name
    assert formulas > 150


# Figures


def figures():
    sys.path.insert(0, str(DOCS / "tools"))
    try:
        return importlib.import_module("figures")
    finally:
        sys.path.pop(0)


def test_every_figure_can_be_drawn_again():
    known = figures().FIGURES
    shown = {
        ((path.parent / link).resolve()).relative_to(ROOT).as_posix()
        for path in TEXTS
        for link in FIGURE.findall(path.read_text(encoding="utf-8"))
    }
    assert shown == set(known)
    for figure, (script, *_) in known.items():
        assert (ROOT / figure).is_file() and (ROOT / script).is_file()


@pytest.mark.parametrize("name", ["docs/figures/architecture.svg", "docs/figures/optimum.png"])
def test_figures_are_drawn(name, tmp_path):
    drawn = figures().draw(name, tmp_path / Path(name).name)
    if drawn.suffix == ".svg":
        assert drawn.read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")
    assert drawn.stat().st_size > 5000


# Architecture


def test_every_package_has_its_place_in_the_architecture():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = set(re.findall(r"^\| \**`([a-z0-9_.]+)`\** \|", text, re.MULTILINE))
    found = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for package in ("theory", "stochreset", "training")
        for path in (ROOT / package).rglob("*.py")
    }
    assert rooms == found


def test_nothing_imports_the_command_line():
    from .test_layers import modules

    for package in ("theory", "stochreset", "training"):
        for path in modules(package):
            assert "stochreset.cli" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("path", [README, ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_links_of_the_repository_lead_somewhere(path):
    for link in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link
