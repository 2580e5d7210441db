"""Where the output goes: encodings that lack what is printed, closed streams, Ctrl-C."""

import io
import json
import os
import shlex
import subprocess
import sys

import pytest

from stochreset.cli import analysis, documents, executing

from .commands import FAST, PREDICT

PROGRAM = (sys.executable, "-c", "from stochreset.cli import main; main()")
SIMULATE = ("simulate", "brownian", "--poisson", "1", "--runs", "100")


def program(*arguments, **environment):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, timeout=120, env=os.environ | environment
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_tables_in_any_encoding(runs_file, encoding):
    for arguments in (SIMULATE, ("predict", runs_file, *PREDICT, "--periods", "20", *FAST), ("--help",)):
        done = program(*arguments, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode(encoding)
    table = program(*SIMULATE, PYTHONIOENCODING=encoding).stdout.decode(encoding)
    assert (" ? " if encoding == "ascii" else " ± ") in table


@pytest.mark.parametrize(("encoding", "written"), [("ascii", r"\u27e8\u03c4\u27e9"), ("utf-8", "⟨τ⟩")])
def test_documents_in_any_encoding(monkeypatch, encoding, written):
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        documents.print_json({"reason": "⟨τ⟩ ± 𝜎"})
        output.flush()
    text = output.buffer.getvalue().decode(encoding)
    assert written in text and json.loads(text) == {"reason": "⟨τ⟩ ± 𝜎"}


@pytest.mark.skipif(os.name != "posix", reason="closes streams by the shell")
@pytest.mark.parametrize(
    ("arguments", "closed"),
    [(("models",), ">&-"), (("--help",), ">&-"), (SIMULATE, "2>&-"), (SIMULATE, ">&- 2>&-")],
)
def test_closed_output(arguments, closed):
    command = f"{shlex.join((*PROGRAM, *arguments))} {closed}"
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b"digest" in done.stdout) == (closed == "2>&-")


@pytest.mark.skipif(os.name != "posix", reason="closes streams by the shell")
def test_errors_do_not_go_to_the_output():
    command = f"{shlex.join((*PROGRAM, 'simulate', 'nothing'))} 2>&-"
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, b"")


def test_ctrl_c_is_said_once(run, monkeypatch, runs_file):
    def interrupt(*_):
        raise KeyboardInterrupt

    def interruptible(*_):
        with executing.interruptible():
            raise KeyboardInterrupt("unperturbed-0 was interrupted")

    monkeypatch.setattr(analysis.options, "parse_measured", interrupt)
    assert run("rank", runs_file, "--threshold", 91) == (130, "", "stochreset: interrupted\n")
    monkeypatch.setattr(analysis.options, "parse_measured", interruptible)
    said = "stochreset: unperturbed-0 was interrupted; the same command goes on from there\n"
    assert run("rank", runs_file, "--threshold", 91) == (130, "", said)
