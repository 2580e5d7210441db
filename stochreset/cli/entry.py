"""The commands under one name, and how they end.

Errors of use or of data end with exit code 2 and one line on standard error.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Annotated

import typer

from stochreset.cli import analysis, demo, executing, importing, optimizing, report, simulating, training

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

app = typer.Typer(
    help="Would it finish sooner if it were perturbed now and then, and if so, how and how often?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("import-traces")(importing.import_traces)
app.command("qss")(analysis.qss)
app.command("predict")(analysis.predict)
app.command("rank")(analysis.rank)
app.command("report")(report.report)
app.command("train")(training.train)
app.command("optimize")(optimizing.optimize)
app.command("demo")(demo.demo)
app.command("simulate")(simulating.simulate)
app.command("models")(simulating.models)


def _print_version(wanted: bool) -> None:
    if wanted:
        from stochreset import __version__

        print(f"stochreset {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take what comes before the command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 on success, 2 on an error of use or data, 130 on Ctrl-C."""
    _prepare_streams()
    sys.exit(_run(arguments))


def _prepare_streams() -> None:
    """Let nothing that is printed be an error: not where a stream is closed, nor where it has no ± or ⟨τ⟩."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace")


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # what typer makes of Ctrl-C
            return _fail("interrupted", INTERRUPTED)
        return code if isinstance(code, int) else 0
    except executing.Stopped as stopped:
        return _fail(str(stopped), INTERRUPTED)
    except BrokenPipeError:  # whoever reads the output wants no more of it, as `head`
        _drop_output()
        return 1
    except OSError as error:
        return _fail(_described(error), 2)
    except ValueError as error:
        return _fail(str(error), 2)
    except MemoryError as error:
        return _fail(f"not enough memory ({str(error) or 'none left'}); take fewer runs or `--resamples`", 2)
    except ImportError as error:
        if error.name not in ("torch", "torchvision", "sklearn"):
            raise
        return _fail(f"{error.name} is not installed: pip install 'stochreset[training]'", 2)
    except Exception as error:
        # Usage errors: click's own exceptions, whose module depends on the version of typer.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        return _fail(describe(), getattr(error, "exit_code", 2))


def _described(error: OSError) -> str:
    """Say what failed; an error that names no file comes from printing, as to a full disk."""
    if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return str(error)
    if error.strerror is None:  # a message of our own
        return str(error)
    _drop_output()
    return f"the output cannot be written: {error.strerror}"


def _drop_output() -> None:
    """Let standard output end in nothing: what it holds would fail again when Python exits."""
    with suppress(OSError, ValueError):  # not a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _fail(message: str, code: int) -> int:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = "; ".join(lines or ["nothing given, see --help"]).replace(":; ", ": ")
    print(f"stochreset: {text}", file=sys.stderr)
    return code
