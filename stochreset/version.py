"""The version, which pyproject.toml alone states, as it was when the packages were installed."""

from importlib.metadata import version

__version__ = version("stochreset")
