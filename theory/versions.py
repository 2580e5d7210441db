"""Versions of what is installed, for records of how a result came about."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Versions of those of the packages that are installed.

    Examples
    --------
    >>> sorted(installed(["numpy", "nothing-of-that-name"]))
    ['numpy']
    """
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
