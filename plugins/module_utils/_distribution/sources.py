# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of a distribution, from the options of the role: one image, or several with a name each.

An image of a Packer manifest gets its ID here, so that all later tasks know one form of a source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from .._failures import Failure, invalid_value
from .._variables import Unreadable
from .._wording import render_value
from .output import find_repeated_names
from .packer import parse_manifest, select_image

Source: TypeAlias = dict[str, Any]
# Takes an option, the problem with it, and the remedy.
Refuse: TypeAlias = Callable[[str, str, str], None]

SELECTORS = ("source_image_id", "source_parameter", "source_filters", "packer_manifest")
"""Exactly one of these options selects a source."""
_BUILD_OPTIONS = ("packer_run_uuid", "packer_build")
# Options of a source whose default is the option of the role.
_OWN = ("source_region", "name", "publish_parameter", "launch_templates", "verify_instance_type")
# Options of a source that are added to the option of the role.
_ADDED = ("tags", "shared_tags")
# Directories and S3 prefixes of the role, in which each of several sources has its own.
_FOLDERS = ("report_dir", "report_s3_uri")
KEYS = (*SELECTORS, *_BUILD_OPTIONS, *_OWN, *_ADDED)
"""The options of one source."""
# Options that are not listed here are texts.
_FORMS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("source_filters", "tags", "shared_tags"), (Mapping, "a dictionary")),
    "launch_templates": (list, "a list of texts"),
}
# A directory of a report and a key in files are named after a source.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class File:
    """A file of the controller: its text, or the reason why it cannot be read."""

    text: str = ""
    problem: str = ""


def check_forms(sources: Mapping[Any, Any]) -> tuple[Failure, ...]:
    """Return failures for sources and options whose form the other functions cannot read."""
    return tuple(
        invalid_value("sources", f"{render_value(name)}{problem}", remedy)
        for name, own in sources.items()
        for problem, remedy in _check_form(name, own)
    )


def _check_form(name: Any, own: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str):
        yield " is not text.", "Write the name of the source in quotes."
    elif not isinstance(own, Mapping):
        yield f" is not a dictionary (got {render_value(own)}).", f"Set some of {', '.join(KEYS)}."
    else:
        for key, value in own.items():
            kind, form = _FORMS.get(key, (str, "text"))
            if value is not None and not _has_form(value, kind):
                yield f", {render_value(key)}: it is not {form} (got {render_value(value)}).", f"Set {form}."


def _has_form(value: Any, kind: type) -> bool:
    """Whether the value has this type, and the items of a list are texts."""
    items = value if isinstance(value, list) else ()
    return isinstance(value, kind) and all(isinstance(item, str) for item in items)


def list_manifests(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the paths of the manifests that ``select_sources`` needs."""
    paths = (source.get("packer_manifest") for source in (options, *options["sources"].values()))
    return frozenset(path for path in paths if path)


def select_sources(
    options: Mapping[str, Any], manifests: Mapping[str, File]
) -> tuple[tuple[Source, ...], tuple[Failure, ...]]:
    """Return the sources as the tasks of the role take them, and the problems with the options.

    ``manifests`` are the files by path. A source has the name ``source``, empty if it is the only one,
    ``KEYS``, ``report_dir`` and ``report_s3_uri``.
    """
    failures: list[Failure] = []

    def refuse(option: str, problem: str, remedy: str) -> None:
        failures.append(invalid_value(option, problem, remedy))

    if not options["sources"]:
        source: Source = {"source": ""}
        source.update({key: options[key] for key in (*KEYS, *_FOLDERS)})
        _select(source, manifests, refuse)
        return (source,), tuple(failures)
    _check_common(options, refuse)
    sources = tuple(_add_role_options(options, name) for name in options["sources"])
    for source in sources:
        name = str(source["source"])
        _check_keys(options["sources"][name], name, refuse)
        _select(source, manifests, _refuse_in(name, refuse))
    if not failures:
        _check_together(sources, refuse)
    return sources, tuple(failures)


def _add_role_options(options: Mapping[str, Any], name: str) -> Source:
    """Return one of several sources, completed by the options of the role."""
    own = options["sources"][name]
    selector = {key: own.get(key) for key in SELECTORS}
    if own.get("packer_build") and not any(selector.values()):
        selector["packer_manifest"] = options["packer_manifest"]
        selector["packer_run_uuid"] = options["packer_run_uuid"]
    return {
        "source": name,
        **{key: options[key] and f"{options[key].rstrip('/')}/{name}" for key in _FOLDERS},
        **{key: own.get(key) or selector.get(key) for key in (*SELECTORS, *_BUILD_OPTIONS)},
        **{key: own.get(key) or options[key] for key in _OWN},
        **{key: {**(options[key] or {}), **(own.get(key) or {})} for key in _ADDED},
    }


def _refuse_in(name: str, refuse: Refuse) -> Refuse:
    """Return a function that refuses an option of one of several sources."""
    return lambda option, problem, remedy: refuse(
        "sources", f"{render_value(name)}, {option}: {problem}", remedy
    )


def _check_common(options: Mapping[str, Any], refuse: Refuse) -> None:
    """Refuse options of a single source beside ``sources``."""
    for option in ("source_image_id", "source_parameter", "source_filters", "packer_build"):
        if options[option]:
            problem = f"it cannot be combined with sources (got {render_value(options[option])})."
            refuse(option, problem, "Set it in one of the sources, or remove it.")
    if options["report_path"]:
        problem = (
            f"it cannot have the reports of several sources (got {render_value(options['report_path'])})."
        )
        refuse("report_path", problem, "Set report_dir, which gets a directory for each source.")


def _check_keys(own: Mapping[str, Any], name: str, refuse: Refuse) -> None:
    if not _NAME.fullmatch(name):
        problem = f"{render_value(name)} is not a name for a source."
        refuse("sources", problem, "Use up to 64 letters, digits, dots, hyphens and underscores.")
    if unknown := sorted(own.keys() - {*KEYS}):
        problem = f"{render_value(name)} has the unknown option {', '.join(unknown)}."
        refuse("sources", problem, f"The options of a source are {', '.join(KEYS)}.")


def _check_together(sources: Sequence[Source], refuse: Refuse) -> None:
    """Refuse sources that would overwrite or refuse each other's images."""
    for first, second in combinations(sources, 2):
        names = f"{render_value(first['source'])} and {render_value(second['source'])}"
        for problem, remedy in _find_conflicts(first, second):
            refuse("sources", f"{names} {problem}", remedy)
    for name, other_name in find_repeated_names(source["source"] for source in sources):
        problem = (
            f"{render_value(name)} and {render_value(other_name)} are the same name in environment variables."
        )
        refuse("sources", problem, "Rename one of them.")


def _find_conflicts(first: Source, second: Source) -> Iterator[tuple[str, str]]:
    if all(first[key] == second[key] for key in (*SELECTORS, "source_region")):
        yield "are the same image.", "Remove one of them."
    name = first["name"] or ""
    if name and name == second["name"] and not re.search(r"\{source_(name|image_id)\}", name):
        yield (
            f"would have copies of the same name {render_value(name)}.",
            "Set a name for each, or add {source_name} or {source_image_id} to the name.",
        )
    parameter = first["publish_parameter"]
    if parameter and parameter == second["publish_parameter"]:
        yield f"would be published in the same parameter {parameter}.", "Set publish_parameter for each."
    templates = {*(first["launch_templates"] or ())} & {*(second["launch_templates"] or ())}
    if templates:
        names = ", ".join(sorted(templates))
        yield f"would be published in the same launch template {names}.", "Set launch_templates for each."


def _select(source: Source, manifests: Mapping[str, File], refuse: Refuse) -> None:
    """Check that one option selects the image, and set the ID and region of an image of a manifest."""
    selectors = [option for option in SELECTORS if source[option]]
    if not selectors:
        refuse("source_image_id", "no source is set.", f"Set one of {', '.join(SELECTORS)}.")
    for option in selectors[1:]:
        problem = f"it cannot be combined with {selectors[0]} (got {render_value(source[option])})."
        refuse(option, problem, "Remove one of them.")
    path = source["packer_manifest"]
    for option in () if path else _BUILD_OPTIONS:
        if source[option]:
            problem = f"requires packer_manifest (got {render_value(source[option])})."
            refuse(option, problem, "Set packer_manifest, or remove it.")
    if not path and not source["source_region"]:
        refuse("source_region", "it is required and not set.", "Set the region of the source image.")
    elif selectors == ["packer_manifest"]:
        try:
            source["source_image_id"], source["source_region"] = _read_manifest(source, manifests[path])
        except Unreadable as unreadable:
            refuse("packer_manifest", f"{path}: {unreadable.problem}", unreadable.remedy)


def _read_manifest(source: Source, file: File) -> tuple[str, str]:
    """Return the ID and the region of the image of a manifest.

    Raises:
        Unreadable: it has none, or several.
    """
    if file.problem:
        raise Unreadable(f"{file.problem}.", "Use a file that Ansible can read on the controller.")
    selectors = [source[option] or None for option in (*_BUILD_OPTIONS, "source_region")]
    return select_image(parse_manifest(file.text), *selectors)
