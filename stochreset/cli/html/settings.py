"""Settings, versions, and the commands that make it all again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stochreset.cli.html.markup import Html, element, section
from stochreset.cli.html.record import recorded, text
from theory.versions import installed

PACKAGES = ("stochreset", "numpy", "scipy", "h5py")
ELSEWHERE = ("optimize", "imported", "command", "epochs_trained", "epochs_independent")
"""Entries of the provenance that are shown by other sections, or as commands."""
MOST = 80
"""Entries of the provenance that are shown one by one."""
LONGEST = 300
"""Characters of an entry that are shown."""


def settings_section(
    description: Mapping[str, Any], runs_name: str, digest: str, analysis: Mapping[str, Any]
) -> Html:
    """What the runs were made with, what the report was made with, and how to make both again.

    Parameters
    ----------
    description : mapping
        Of the runs file, as `training.describe` gives it.
    runs_name, digest : str
        Name and SHA-256 of the runs file.
    analysis : mapping
        Options of the report; None leaves one out.
    """
    provenance = description.get("provenance") or {}
    entries: dict[str, object] = {"runs file": runs_name, "its SHA-256": element("code", digest)}
    entries |= {f"runs: {name}": value for name, value in _flat(provenance)}
    given = {name: _values(value) for name, value in analysis.items()}
    entries |= {f"report: {name}": ", ".join(values) for name, values in given.items() if values}
    entries["report: versions"] = ", ".join(
        f"{name} {version}" for name, version in installed(PACKAGES).items()
    )
    pairs = [part for name, value in entries.items() for part in (element("dt", name), element("dd", value))]
    return section(
        "Settings and how to reproduce this",
        element("dl", *pairs),
        element("p", "Commands, from the folder that holds the runs file:"),
        _box("Commands", "\n".join(commands(provenance, runs_name, analysis))),
        _parameters(description["ensembles"]),
        element(
            "details",
            element("summary", "Provenance as recorded in the runs file"),
            _box("Provenance", json.dumps(provenance, indent=1, ensure_ascii=False)),
        ),
        name="settings",
    )


def commands(provenance: Mapping[str, Any], runs_name: str, analysis: Mapping[str, Any]) -> list[str]:
    """Commands that make the runs file, as far as it tells, and this report."""
    words = ["stochreset", "report", runs_name]
    for name, value in analysis.items():
        for each in _values(value):
            words += [f"--{name}", each]
    recorded_command = text(recorded(provenance, "command"))
    made = [" ".join(recorded_command.split())] if recorded_command else []
    imported = recorded(provenance, "imported")
    if isinstance(imported, Mapping):
        made.append(_import_command(imported, runs_name))
    elif isinstance(recorded(provenance, "study"), Mapping):
        made.append("stochreset train CONFIG.toml  # settings: `study` in the provenance below")
    return [*made, f"{shlex.join(words)} --out DIR"]


def _values(value: Any) -> list[str]:
    """Texts of an option, which may be given several times or not at all."""
    values = value if isinstance(value, list) else [value]
    return [f"{each:.10g}" if isinstance(each, float) else str(each) for each in values if each is not None]


def _import_command(imported: Mapping[str, Any], runs_name: str) -> str:
    lines = [shlex.join(["stochreset", "import-traces", runs_name])]
    for name, folder in imported.items():
        option = ["--unperturbed", folder] if name == "unperturbed" else ["--perturbed", f"{name}:{folder}"]
        lines.append(shlex.join(map(str, option)))
    return " \\\n    ".join(lines)


def _flat(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Entries as text: versions in one line, settings one by one; what other sections show is left out."""
    entries = []
    for name, value in provenance.items():
        if name == "config" and isinstance(value, Mapping):
            rest = {key: each for key, each in value.items() if key not in ELSEWHERE}
            entries += list(_leaves(rest, ""))
        elif isinstance(value, Mapping) and name not in ELSEWHERE:
            entries.append((name, ", ".join(f"{key} {each}" for key, each in value.items())))
        elif name not in ELSEWHERE:
            entries += list(_leaves({name: value}, ""))
    if len(entries) > MOST:
        entries = [*entries[:MOST], ("more", f"{len(entries) - MOST} entries, in the provenance below")]
    return entries


def _leaves(settings: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        elif value is not None:
            text_of_it = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"{path}{name}", text_of_it if len(text_of_it) <= LONGEST else f"{text_of_it[:LONGEST]} ..."


def _parameters(ensembles: Iterable[Mapping[str, Any]]) -> Html:
    found: dict[tuple[str, str], list[str]] = {}
    for each in ensembles:
        if each.get("parameters"):
            parameters = ", ".join(f"{name} {value}" for name, value in each["parameters"].items())
            found.setdefault((str(each["perturbation"]), parameters), []).append(str(each["name"]))
    if not found:
        return Html("")
    items = [
        element("li", f"{name}: {values} ({', '.join(where)})") for (name, values), where in found.items()
    ]
    return element("div", element("p", "Parameters of the perturbations:"), element("ul", *items))


def _box(label: str, content: str) -> Html:
    return element("pre", element("code", content), tabindex="0", role="group", aria_label=label)
