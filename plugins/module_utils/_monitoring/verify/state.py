# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources that the role ``monitor`` creates in a region, as they should be and as AWS returns them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..._failures import Failure

ResourceKind = Literal["alarm", "metric filter", "queue", "rule", "topic"]
# The attributes of a resource by their names in messages: those that the role sets, and the ``encryption`` of
# a topic or a queue, which is an alias of an AWS managed key, or None. A topic that was read also has the
# ``pending`` subscriptions, and those whose recipients have ``unsubscribed``.
Attributes = Mapping[str, Any]
RERUN = (
    "A change may not have reached AWS: check the network, the proxy and AWS_ENDPOINT_URL, and rerun. "
    "Completed work is kept."
)
"""The remedy for attributes that the role sets."""


@dataclass(frozen=True)
class Resource:
    """A resource of the role."""

    kind: ResourceKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Trail:
    """A trail that covers the region.

    ``log_group`` is the region, account and name of the log group that it delivers to, ``delivery_error`` the
    reason of the last failed delivery. ``selectors`` is the answer to GetEventSelectors, None if it cannot be
    read.
    """

    arn: str
    is_logging: bool
    log_group: tuple[str, str, str] | None = None
    delivery_error: str | None = None
    selectors: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Return the name, without the account and region of the ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class MonitoringState:
    """The attributes of the resources, None for one that does not exist, and the failures of reads.

    ``trails`` is None if not all of them were read.
    """

    resources: Mapping[Resource, Attributes | None]
    failures: tuple[Failure, ...] = ()
    trails: tuple[Trail, ...] | None = None

    def with_newer(self, newer: MonitoringState, kinds: Collection[ResourceKind]) -> MonitoringState:
        """Return the state with the resources of these kinds from ``newer``."""
        kept = {
            resource: attributes
            for resource, attributes in self.resources.items()
            if resource.kind not in kinds
        }
        return replace(self, resources={**kept, **newer.resources}, failures=newer.failures)


@dataclass(frozen=True)
class Difference:
    """A resource that differs from the options: ``text`` is a clause, ``remedies`` are sentences."""

    resource: Resource
    text: str
    remedies: tuple[str, ...] = (RERUN,)
