"""Build the wheel and the source archive, look into them, and use the wheel in fresh environments without torch."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("stochreset", "theory", "training")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
SHIPPED = (".py", ".css", ".js", ".typed")
PYTHONS = ("3.11", "3.12", "3.13")
USES = (
    ("stochreset", "--version"),
    ("stochreset", "models"),
    ("stochreset", "simulate", "brownian", "--period", "2", "--runs", "1000", "--seed", "1"),
    ("python", "-c", "import theory, stochreset, training"),
    ("python", "-c", "import sys, importlib.util; sys.exit(importlib.util.find_spec('torch') is not None)"),
)


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints; end with all of it where the command fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def shipped() -> set[str]:
    """Files of the three packages that a user needs."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in SHIPPED
    }


def check_contents(wheel: Path, archive: Path) -> None:
    """End unless both hold all of the packages, and the wheel nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(archive) as file:
        sources = {name.partition("/")[2] for name in file.getnames()}
    for kind, found in (("wheel", names), ("source archive", sources)):
        if missing := shipped() - found:
            sys.exit(f"the {kind} lacks {sorted(missing)}")
    own = {name for name in names if ".dist-info/" not in name}
    if others := own - shipped():
        sys.exit(f"the wheel should not hold {sorted(others)}")
    if tests := {name for name in sources if name.startswith("tests")}:
        sys.exit(f"the source archive holds a part of the tests only: {sorted(tests)}")
    print(f"  {len(own)} files in the wheel, {len(sources)} in the source archive: complete, no tests")


def interpreters() -> dict[str, Path]:
    """Those of `PYTHONS` that work here: on the path, or of pyenv."""
    found = {}
    for version in PYTHONS:
        homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
        for path in filter(None, [shutil.which(f"python{version}"), *homes]):
            probe = subprocess.run([path, "-c", "import venv, ensurepip"], capture_output=True)
            if probe.returncode == 0:
                found[version] = Path(path)
                break
    return found


def use(wheel: Path, python: Path, folder: Path) -> None:
    """Install the wheel into a new environment and run what a user runs first."""
    run(python, "-m", "venv", folder, cwd=folder.parent)
    scripts = folder / "bin"
    pip = (scripts / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, wheel, cwd=folder.parent)
    for program, *arguments in USES:
        printed = run(scripts / program, *arguments, cwd=folder.parent)
        if arguments == ["--version"] and printed.strip() != f"stochreset {VERSION}":
            sys.exit(f"--version prints {printed!r}, pyproject.toml says {VERSION}")
    print(f"  {run(scripts / 'python', '--version', cwd=folder).strip()}: installed, used, without torch")


def main() -> None:
    """Check everything, in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("Building ...", flush=True)
        run(sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT, cwd=folder)
        (wheel,), (archive,) = ((folder / "dist").glob(f"*{end}") for end in (".whl", ".tar.gz"))
        print(
            re.sub(
                r"\x1b\[\d*m",
                "",
                run(sys.executable, "-m", "twine", "check", "--strict", wheel, archive, cwd=folder),
            ),
            end="",
        )
        check_contents(wheel, archive)
        found = interpreters()
        for version in PYTHONS:
            if version in found:
                use(wheel, found[version], folder / f"python{version}")
            else:
                print(f"  Python {version}: not found here, not tried")
        if not found:
            sys.exit("none of these versions of Python was found")
    print(f"Version {VERSION} can be released.")


if __name__ == "__main__":
    main()
