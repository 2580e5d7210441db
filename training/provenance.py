"""Provenance of a runs file: what was run, with which versions, on which machine, and when."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from theory.versions import installed

PACKAGES = ("stochreset", "numpy", "scipy", "h5py", "torch")


def provenance(config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Describe the software and hardware of this process, ready to be stored as JSON.

    Parameters
    ----------
    config : mapping, optional
        Settings of the run or import; anything that `json.dumps` takes.

    Returns
    -------
    dict
        ``time`` (UTC, ISO 8601), ``python``, ``platform``, ``cpu``, ``cpu_count``, ``packages`` (name to
        version, installed ones only) and ``config``; ``gpu`` where this process already uses torch with
        CUDA, and ``git_commit`` where this package runs from a git checkout, ending in ``-dirty`` where
        tracked files differ from the commit. Nothing is imported to find out.

    Raises
    ------
    ValueError
        If ``config`` cannot be written as JSON.

    Examples
    --------
    >>> provenance({"learning_rate": 0.1})["config"]
    {'learning_rate': 0.1}
    """
    try:
        settings = json.loads(json.dumps(dict(config or {}), allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise ValueError(
            f"`config` must be JSON: {problem}; convert arrays to lists and paths to text"
        ) from None
    record: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cpu_count": os.cpu_count(),
        "packages": installed(PACKAGES),
        "config": settings,
    }
    for key, value in (("gpu", _gpu()), ("git_commit", git_commit(Path(__file__).resolve().parents[1]))):
        if value is not None:
            record[key] = value
    return record


def git_commit(root: Path) -> str | None:
    """Return the commit checked out at ``root``, None if that is no checkout of this project."""
    if not (root / ".git").exists() or not _is_project(root / "pyproject.toml"):
        return None
    # Within a git hook, GIT_DIR and its like would point git at another repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ("git", "--no-optional-locks", "-C", str(root), *arguments),
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env=environment,
        ).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        return f"{commit}-dirty" if git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.SubprocessError):
        return None


def _is_project(pyproject: Path) -> bool:
    try:
        return 'name = "stochreset"' in pyproject.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, UnicodeDecodeError):
        pass
    return platform.processor() or platform.machine()


def _gpu() -> str | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return str(torch.cuda.get_device_name())
