"""Futures for submitit jobs: one thread submits, watches and cancels them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from training.executors.attempt import Report, WorkerLostError, attempt

P = ParamSpec("P")
T = TypeVar("T")
LINES_OF_LOG = 30
JOBS_IN_A_ROW = 10  # sbatch can take a second: look at the running jobs in between


def _call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Report:
    return attempt(lambda: fn(*args, **kwargs), ())


class SubmititExecutor(Executor):
    """An executor whose futures follow submitit jobs.

    Parameters
    ----------
    jobs
        A ``submitit.AutoExecutor``.
    most_jobs
        How many jobs may be submitted at once, None for any number; further calls wait here.
    seconds
        Between two looks at the jobs.
    grace_seconds
        How long after the end of a job its result may take to appear in a shared file system.
    """

    def __init__(self, jobs: Any, most_jobs: int | None, *, seconds: float, grace_seconds: float) -> None:
        self._executor = jobs
        self._most_jobs = most_jobs
        self._seconds = seconds
        self._grace_seconds = grace_seconds
        self._waiting: deque[tuple[Future[Any], tuple[Any, ...]]] = deque()
        self._jobs: dict[Future[Any], Any] = {}
        self._ended: dict[Future[Any], float] = {}
        self._closed = False
        self._cancelling = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="submitit-jobs", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call; its future can be cancelled until the job ends, which cancels the job."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = Future()
        self._waiting.append((future, (fn, args, kwargs)))
        self._wake.set()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; optionally cancel all jobs, and wait for those that are left."""
        self._cancelling = self._cancelling or cancel_futures
        self._closed = True
        self._wake.set()
        if wait:
            self._thread.join()

    def stop(self, patience: float = 6.0) -> None:
        """Cancel all jobs and wait at most ``patience`` seconds until that is done."""
        self.shutdown(wait=False, cancel_futures=True)
        self._thread.join(patience)

    def _watch(self) -> None:
        while self._waiting or self._jobs or not self._closed:
            self._cancel_jobs()
            for future, job in list(self._jobs.items()):
                self._look_at(future, job)
            if self._start_some():
                continue
            self._wake.wait(self._seconds)
            self._wake.clear()

    def _start_some(self) -> bool:
        """Start a few jobs; say whether more can start at once."""
        for _ in range(JOBS_IN_A_ROW):
            if not self._waiting or (self._most_jobs is not None and len(self._jobs) >= self._most_jobs):
                return False
            self._start(*self._waiting.popleft())
        return True

    def _start(self, future: Future[Any], call: tuple[Any, ...]) -> None:
        if future.cancelled():
            future.set_running_or_notify_cancel()
            return
        try:
            self._jobs[future] = self._executor.submit(_call, *call)
        except Exception as error:
            _finish(future, error=error)

    def _look_at(self, future: Future[Any], job: Any) -> None:
        try:
            if not job.done():
                return
            ended = self._ended.setdefault(future, time.monotonic())
            if job.paths.result_pickle.exists():
                report: Report = job.result()
                _finish(future, report.value, report.error_with_trace())
            elif time.monotonic() - ended < self._grace_seconds:
                return
            else:
                _finish(future, error=WorkerLostError(f"job {job.job_id} ended without a result{_tail(job)}"))
        except Exception as error:
            error.add_note(f"Job {job.job_id}{_tail(job)}")
            _finish(future, error=error)
        del self._jobs[future]
        self._ended.pop(future, None)

    def _cancel_jobs(self) -> None:
        if self._cancelling:
            for future in [*(future for future, _ in self._waiting), *self._jobs]:
                future.cancel()
        cancelled = {future: job for future, job in self._jobs.items() if future.cancelled()}
        running = [job for job in cancelled.values() if not job.paths.result_pickle.exists()]
        if running and self._executor.cluster == "slurm":
            ids = [str(job.job_id) for job in running]
            for first in range(0, len(ids), 500):
                subprocess.run(["scancel", *ids[first : first + 500]], check=False, timeout=60)
        else:
            for job in running:
                job.cancel(check=False)
            self._wait_for_local(running)
        for future in cancelled:
            future.set_running_or_notify_cancel()
            del self._jobs[future]

    def _wait_for_local(self, jobs: list[Any], seconds: float = 4.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not all([job.done() for job in jobs]):
            time.sleep(0.05)


def _finish(future: Future[Any], value: Any = None, error: BaseException | None = None) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _tail(job: Any) -> str:
    """Return where the error log of a job is, and its last lines."""
    try:
        lines = job.paths.stderr.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_OF_LOG:]
    except OSError:
        return f"; it has no log {job.paths.stderr}"
    return "\n".join([f"; the end of {job.paths.stderr} is:", *lines])
