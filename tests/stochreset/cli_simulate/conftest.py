import json

import pytest

from stochreset.cli import main


@pytest.fixture
def run(capsys):
    """Run the command line in this process: exit code, standard output and standard error."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


@pytest.fixture
def document(run):
    """Run a command with ``--json`` that must succeed in silence, and parse what it prints."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, "")
        assert out.startswith("{\n") and out.endswith("\n}\n")
        return json.loads(out, parse_constant=refuse)

    return call


@pytest.fixture
def failure(run):
    """Run a command that must end with exit code 2 and one line on standard error, and return the line."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("stochreset: ") and err.endswith("\n") and err.count("\n") == 1
        return err

    return call
