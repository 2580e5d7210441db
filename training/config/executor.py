"""The executor of a configuration: its short form, or a table."""

from __future__ import annotations

from dataclasses import replace

from training.config.table import Table
from training.config.values import arguments, choice
from training.executors import ExecutorSettings, parse_executor
from training.executors.base import KINDS

OPTIONS: dict[str, type] = {
    **dict.fromkeys(["timeout_min", "nodes", "tasks_per_node", "cpus_per_task", "gpus_per_node"], int),
    "mem_gb": float,
    "name": str,
    "stderr_to_stdout": bool,
    **dict.fromkeys([f"slurm_{each}" for each in ("partition", "account", "qos", "constraint", "gres")], str),
    **dict.fromkeys([f"slurm_{each}" for each in ("exclude", "nodelist", "comment", "wckey")], str),
    **dict.fromkeys([f"slurm_{each}" for each in ("mem", "mem_per_cpu", "mem_per_gpu")], str),
    **dict.fromkeys([f"slurm_{each}" for each in ("mail_type", "mail_user", "dependency")], str),
    **dict.fromkeys([f"slurm_{each}" for each in ("time", "cpus_per_gpu", "gpus_per_task")], int),
    **dict.fromkeys([f"slurm_{each}" for each in ("array_parallelism", "signal_delay_s")], int),
    "slurm_exclusive": bool,
}
"""Parameters of submitit that only ask for resources; others, such as ``slurm_setup``, would run commands."""


def read_executor(root: Table) -> ExecutorSettings | None:
    """Return the executor, by default that of the calling process; None, with complaints, where it is not sound."""
    spec = root.values.get("executor", {})
    if isinstance(spec, str):
        try:
            settings: ExecutorSettings | None = parse_executor(spec)
        except ValueError as problem:
            root.complain(str(problem).replace("`spec` of an executor", "executor"), "executor")
            return None
    else:
        table = root.table("executor")
        options = table.table("options")
        options.check_keys(OPTIONS)
        for key, value in options.read(OPTIONS).items():
            # They become lines of a shell script.
            if isinstance(value, str) and not value.isprintable():
                options.complain(f"{key} must be printable text on one line, got {value!r}", key)
        settings = table.fill(ExecutorSettings, arguments(ExecutorSettings) | {"kind": choice(KINDS)})
    if settings is None or not (settings.address or "").endswith(".json"):
        return settings
    try:
        return replace(settings, address=root.source.resolve(str(settings.address)))
    except ValueError as problem:
        root.complain(f"executor: address {problem}", "executor")
        return None
