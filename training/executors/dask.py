"""The workers of a Dask cluster that somebody else has started."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

CONNECT_SECONDS = 8


@contextmanager
def open_dask(address: str) -> Iterator[Executor]:
    """Connect to a Dask scheduler and yield the executor of its client.

    The scheduler gives the calls of a worker that dies to another one; after a number of dead workers (its setting
    ``distributed.scheduler.allowed-failures``) the future raises `KilledWorker`. Dask's own ``retries`` stay at 0,
    since they repeat calls that raise, and not those that lose their worker.

    Parameters
    ----------
    address
        ``tcp://host:port`` of the scheduler, or the path of the JSON file that it has written.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ConnectionError
        If no scheduler answers within about eight seconds.
    ValueError
        If there is no such scheduler file.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError("units on Dask need the library: pip install 'stochreset[dask]'") from error
    is_file = address.endswith(".json")
    if is_file and not Path(address).is_file():
        raise ValueError(
            f"`address` must be a scheduler file that exists; got {address!r}. "
            "`dask scheduler --scheduler-file FILE.json` writes one"
        )
    where = {"scheduler_file": address} if is_file else {"address": address}
    try:
        client = Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at `address` {address!r} ({error}). "
            "Start one with `dask scheduler`, or correct the address"
        ) from error
    try:
        executor: Executor = client.get_executor(pure=False)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False)  # cancels: Dask cannot end a call that runs in a thread of a worker
            raise
        executor.shutdown(wait=True)
    finally:
        client.close(timeout=3)
