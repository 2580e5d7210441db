"""Import of the traces that Meir, Keidar, Reuveni and Hirshberg published with arXiv:2502.04121.

4,950 runs of ResNet-18 on CIFAR-10, the test accuracy in per cent after each of 200 epochs: unperturbed, with
shrink and perturb, and with partial stochastic resetting, at periods of 1 to 100 epochs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from training.csv_reader import ColumnRules
from training.csv_traces import ImportSummary, import_traces

UNPERTURBED_FOLDER = "testacc_list_reg_training"
PARAMETERS = {"shrink_perturb": {"shrink": 0.4, "noise": 0.1}}
PASSAGES_FOLDER = "SR_frac_of_smallest_w"
RULES = ColumnRules(
    rename={"test_ACC": "test_accuracy"},
    directions={"test_ACC": "at_least"},
    ranges={"test_ACC": (0.0, 100.0)},
)


def import_published(
    directory: str | os.PathLike[str],
    out: str | os.PathLike[str],
    progress: Callable[[int, int], None] | None = None,
) -> ImportSummary:
    """Import the published traces as metric ``test_accuracy`` of ``shrink_perturb`` and ``partial_reset``.

    Parameters
    ----------
    directory : path
        The unpacked data, with ``testacc_list_reg_training`` and the other folders in it.
    out : path
        Runs file to write.
    progress : callable, optional
        Called after each file with the number of files done and their total.

    Returns
    -------
    ImportSummary
        Its ``skipped`` names what has no traces: the bare first-passage times, and anything unknown.

    Raises
    ------
    ValueError
        If ``directory`` does not hold the published folders.
    TraceImportError
        If a file in them is damaged.
    """
    root = Path(directory)
    perturbed: list[tuple[str, int, Path]] = []
    skipped = []
    for entry in sorted(root.iterdir()) if root.is_dir() else []:
        match = re.fullmatch(r"testacc_list_(?:(s_and_p)_|(partial)_)reset([1-9][0-9]*)", entry.name)
        if match:
            perturbation = "shrink_perturb" if match[1] else "partial_reset"
            perturbed.append((perturbation, int(match[3]), entry))
        elif entry.name == PASSAGES_FOLDER:
            skipped.append(f"{entry.name}: first-passage times without traces")
        elif entry.name != UNPERTURBED_FOLDER:
            skipped.append(f"{entry.name}: not part of the published traces")
    if not (root / UNPERTURBED_FOLDER).is_dir() or not perturbed:
        raise ValueError(
            f"`directory` {directory} does not look like the published traces: expected a folder with "
            f"{UNPERTURBED_FOLDER}/ and testacc_list_s_and_p_reset20/, testacc_list_partial_reset20/ and the "
            "like in it; unpack the archive and give the folder that holds these"
        )
    perturbed.sort(key=lambda source: source[:2])
    return import_traces(
        out,
        root / UNPERTURBED_FOLDER,
        perturbed,
        rules=RULES,
        parameters={name: PARAMETERS[name] for name, _, _ in perturbed if name in PARAMETERS},
        skipped=skipped,
        progress=progress,
    )
