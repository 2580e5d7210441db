"""Keep the calibration out of the tests: collecting doctests would import each of its files."""

collect_ignore_glob = ["*.py"]
