# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the resources of the role ``monitor`` with what they should be."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .options import MonitoringVerifyOptions
from .state import RERUN, Attributes, Difference, Resource, VerifySeen


def differences(wanted: MonitoringVerifyOptions, seen: VerifySeen) -> tuple[Difference, ...]:
    """What is not as it should be, without resources that could not be read."""
    return tuple(_differences(wanted, seen))


def _differences(wanted: MonitoringVerifyOptions, seen: VerifySeen) -> Iterator[Difference]:
    for resource, attributes in wanted.resources.items():
        if resource not in seen.resources:
            continue
        found = seen.resources[resource]
        if not wanted.present:
            if found is not None:
                yield Difference(resource, f"{resource} still exists")
        elif found is None:
            yield Difference(resource, f"{resource} is missing")
        elif names := _other(attributes, found):
            text = f"{resource} differs in {' and '.join(names)}"
            yield Difference(resource, text, (*_remedies(wanted, resource, found, names),))


def _remedies(
    wanted: MonitoringVerifyOptions, resource: Resource, found: Attributes, differing: Collection[str]
) -> Iterator[str]:
    """What to do about the attributes that differ: a rerun of the role changes only some of them.

    amazon.aws.cloudwatch_metric_alarm does not compare ActionsEnabled, and has no option for it.
    The role sets no key of a topic or a queue, and community.aws.sns_topic does not subscribe an endpoint
    again as long as SNS lists it.
    """
    rerun = {*differing}
    if "ActionsEnabled" in differing:
        rerun.discard("ActionsEnabled")
        place = f"--region {wanted.target.region} --alarm-names {shlex.quote(resource.name)}"
        yield f"Run aws cloudwatch enable-alarm-actions {place} to enable the actions."
    if "encryption" in differing:
        rerun.discard("encryption")
        senders = "EventBridge" if resource.kind == "queue" else "EventBridge and CloudWatch"
        yield (
            f"{senders} cannot use {found['encryption']}: set no key, or a customer managed key with the "
            "policy in docs/monitoring.md."
        )
    if unsubscribed := found.get("unsubscribed"):
        listed = [*found["subscriptions"], *unsubscribed]
        if canonical(listed) == canonical(wanted.resources[resource]["subscriptions"]):
            rerun.discard("subscriptions")
        yield (
            "A recipient has unsubscribed, and can subscribe again by the link in the last message of SNS. "
            "Otherwise, remove them from the option subscriptions."
        )
    if rerun:
        yield RERUN


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
