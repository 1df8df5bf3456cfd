# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the resources of the role ``monitor`` with what they should be."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .options import MonitoringVerifyOptions
from .state import RERUN, Attributes, Difference, MonitoringState, Resource


def find_differences(options: MonitoringVerifyOptions, current: MonitoringState) -> tuple[Difference, ...]:
    """Return the differences from the options, without resources that could not be read."""
    return tuple(_compare_resources(options, current))


def _compare_resources(options: MonitoringVerifyOptions, current: MonitoringState) -> Iterator[Difference]:
    for resource, attributes in options.resources.items():
        if resource not in current.resources:
            continue
        current_attributes = current.resources[resource]
        if not options.present:
            if current_attributes is not None:
                yield Difference(resource, f"{resource} still exists")
        elif current_attributes is None:
            yield Difference(resource, f"{resource} is missing")
        elif names := _list_differing(attributes, current_attributes):
            text = f"{resource} differs in {' and '.join(names)}"
            yield Difference(resource, text, (*_list_remedies(options, resource, current_attributes, names),))


def _list_remedies(
    options: MonitoringVerifyOptions,
    resource: Resource,
    current: Attributes,
    differing: Collection[str],
) -> Iterator[str]:
    """Yield the remedies for the attributes that differ: a rerun of the role changes only some of them.

    amazon.aws.cloudwatch_metric_alarm does not compare ActionsEnabled, and has no option for it.
    The role sets no key of a topic or a queue, and community.aws.sns_topic does not subscribe an endpoint
    again as long as SNS lists it.
    """
    rerun = {*differing}
    if "ActionsEnabled" in differing:
        rerun.discard("ActionsEnabled")
        place = f"--region {options.target.region} --alarm-names {shlex.quote(resource.name)}"
        yield f"Run aws cloudwatch enable-alarm-actions {place} to enable the actions."
    if "encryption" in differing:
        rerun.discard("encryption")
        senders = "EventBridge" if resource.kind == "queue" else "EventBridge and CloudWatch"
        yield (
            f"{senders} cannot use {current['encryption']}: set no key, or a customer managed key with the "
            "policy in docs/monitoring.md."
        )
    if unsubscribed := current.get("unsubscribed"):
        subscriptions = [*current["subscriptions"], *unsubscribed]
        if normalize_policy(subscriptions) == normalize_policy(options.resources[resource]["subscriptions"]):
            rerun.discard("subscriptions")
        yield (
            "A recipient has unsubscribed, and can subscribe again by the link in the last message of SNS. "
            "Otherwise, remove them from the option subscriptions."
        )
    if rerun:
        yield RERUN


def _list_differing(desired: Attributes, current: Attributes) -> list[str]:
    """Return the names of the attributes that differ."""
    return [
        name
        for name, value in desired.items()
        if normalize_policy(current.get(name)) != normalize_policy(value)
    ]


def normalize_policy(value: Any) -> Any:
    """Return a policy, or a part of it, in a form that equal policies share.

    The order of statements and values has no meaning, and one value stands for a list with it alone (IAM User
    Guide, "Grammar of the IAM JSON policy language").
    """
    if isinstance(value, Mapping):
        return {str(name): normalize_policy(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        # A repeated value has no meaning.
        items = {repr(item): item for item in map(_normalize_element, value)}
        return [items[text] for text in sorted(items)]
    return [value]


def _normalize_element(value: Any) -> Any:
    """Return an element of a list, without a list around a single value."""
    return normalize_policy(value) if isinstance(value, (Mapping, list, tuple, set, frozenset)) else value
