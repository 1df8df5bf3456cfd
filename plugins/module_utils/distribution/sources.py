# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source of a distribution, from the options of the role: an image of a Packer manifest by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..failures import Failure, cut, invalid_option
from ..variables import Unreadable
from ..wording import shown
from .packer import image_of, manifest

SELECTORS = ("source_image_id", "source_parameter", "source_filters", "packer_manifest")
"""Exactly one of these options selects the source."""
# Characters of a problem, as in ``arguments``.
_LONGEST = 270


@dataclass(frozen=True)
class File:
    """A file of the controller: its text, or the reason why it cannot be read."""

    text: str = ""
    problem: str = ""


def files(options: Mapping[str, Any]) -> frozenset[str]:
    """The paths of the files that ``selected`` needs."""
    return frozenset(filter(None, [options["packer_manifest"]]))


def selected(
    options: Mapping[str, Any], found: Mapping[str, File]
) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """The options with the source as ``ami_copy_regions`` takes it, and what is wrong with them.

    ``found`` are the files, by path.
    """
    source = dict(options)
    failures = list(_combined(options))
    if not options["packer_manifest"]:
        if not options["source_region"]:
            failures.append(_refusal("source_region", "it is required and not set.", "Set it."))
    elif not failures:
        try:
            image_id, region = _of_packer(options, found[options["packer_manifest"]])
            source.update(source_image_id=image_id, source_region=region)
        except Unreadable as unreadable:
            problem = f"{options['packer_manifest']}: {unreadable.problem}"
            failures.append(_refusal("packer_manifest", problem, unreadable.remedy))
    return source, tuple(failures)


def _of_packer(options: Mapping[str, Any], file: File) -> tuple[str, str]:
    if file.problem:
        raise Unreadable(f"{file.problem}.", "Use a file that Ansible can read on the controller.")
    run_uuid, build = options["packer_run_uuid"], options["packer_build"]
    return image_of(manifest(file.text), run_uuid or None, build or None, options["source_region"] or None)


def _combined(options: Mapping[str, Any]) -> Iterator[Failure]:
    """Not exactly one source, or options of a manifest without one."""
    given = [option for option in SELECTORS if options[option]]
    if not given:
        yield _refusal("source_image_id", "no source is set.", f"Set one of {', '.join(SELECTORS)}.")
    for option in given[1:]:
        problem = f"it cannot be combined with {given[0]} (got {shown(options[option])})."
        yield _refusal(option, problem, "Remove one of them.")
    for option in ("packer_run_uuid", "packer_build"):
        if options[option] and not options["packer_manifest"]:
            problem = f"without packer_manifest, nothing has it (got {shown(options[option])})."
            yield _refusal(option, problem, "Set packer_manifest, or remove it.")


def _refusal(option: str, problem: str, remedy: str) -> Failure:
    return invalid_option(option, f"{option}: {cut(problem, _LONGEST)}", remedy)
