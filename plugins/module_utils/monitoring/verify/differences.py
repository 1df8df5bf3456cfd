# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the resources of the role ``monitor`` with what they should be."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .state import RERUN, Attributes, Difference, VerifySeen, VerifyWanted


def differences(wanted: VerifyWanted, seen: VerifySeen) -> tuple[Difference, ...]:
    """What is not as it should be, without resources that could not be read."""
    return tuple(_differences(wanted, seen))


def _differences(wanted: VerifyWanted, seen: VerifySeen) -> Iterator[Difference]:
    for resource, attributes in wanted.resources.items():
        if resource not in seen.resources:
            continue
        found = seen.resources[resource]
        if not wanted.is_present:
            if found is not None:
                yield Difference(resource, f"{resource} still exists")
        elif found is None:
            yield Difference(resource, f"{resource} is missing")
        elif names := _other(attributes, found):
            text = f"{resource} differs in {' and '.join(names)}"
            yield Difference(resource, text, _remedies(wanted, resource.name, names))


def _remedies(wanted: VerifyWanted, name: str, differing: Collection[str]) -> tuple[str, ...]:
    """What to do about the attributes that differ: no rerun of the role enables an alarm's actions.

    amazon.aws.cloudwatch_metric_alarm does not compare ActionsEnabled, and has no option for it.
    """
    if "ActionsEnabled" not in differing:
        return (RERUN,)
    place = f"--region {wanted.target.region} --alarm-names {shlex.quote(name)}"
    enable = f"Run aws cloudwatch enable-alarm-actions {place} to enable the actions."
    return (enable,) if len(differing) == 1 else (enable, RERUN)


def _other(wanted: Attributes, found: Attributes) -> list[str]:
    """The attributes that differ."""
    return [name for name, value in wanted.items() if canonical(found.get(name)) != canonical(value)]


def canonical(value: Any) -> Any:
    """A policy, or a part of it, in a form that equal ones share.

    The order of statements and values has no meaning, and one value stands for a list with it alone (IAM User
    Guide, "Grammar of the IAM JSON policy language").
    """
    if isinstance(value, Mapping):
        return {str(name): canonical(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        # The same value twice means the same as once.
        items = {repr(item): item for item in map(_item, value)}
        return [items[text] for text in sorted(items)]
    return [value]


def _item(value: Any) -> Any:
    """An element of a list: a single value stays one."""
    return canonical(value) if isinstance(value, (Mapping, list, tuple, set, frozenset)) else value
