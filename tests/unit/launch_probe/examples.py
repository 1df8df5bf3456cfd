# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes of one image in two accounts and one region."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._launch_probe.apply import Launch, TargetRun
from ansible_collections.golden.images.plugins.module_utils._launch_probe.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._launch_probe.options import ProbeOptions
from ansible_collections.golden.images.plugins.module_utils._launch_probe.plan import plan
from ansible_collections.golden.images.plugins.module_utils._launch_probe.state import (
    Cause,
    Probe,
    ProbeState,
)
from ansible_collections.golden.images.plugins.module_utils._model import (
    Image,
    Instance,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._tags import PROBE_TAG

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, as_read, source_image

REGION = "eu-west-1"
SUBNET = "subnet-0123456789abcdef0"
NOW = datetime(2026, 11, 24, 12, 0, 0, 123, tzinfo=UTC)
HERE, THERE = Target(CONSUMER, REGION), Target(OWNER, REGION)
PROBE = Probe(HERE, SOURCE_ID)


def wanted(**changes: Any) -> ProbeOptions:
    """The image in both accounts, in a shared subnet."""
    values: dict[str, Any] = {
        "images": {(None, REGION): SOURCE_ID},
        "account_ids": (CONSUMER, OWNER),
        "subnet_ids": {REGION: SUBNET},
        **changes,
    }
    return ProbeOptions(**values)


def params(**changes: Any) -> dict[str, Any]:
    """The module's options."""
    given = {
        "account_ids": [CONSUMER, OWNER],
        "consumer_role_name": "golden-consumer",
        "external_id": None,
        "image_id": None,
        "images": {REGION: SOURCE_ID},
        "instance_type": None,
        "region": None,
        "security_group_ids": {},
        "subnet_ids": {REGION: SUBNET},
        "wait_timeout": 300,
        **changes,
    }
    return as_read(ProbeOptions.argument_spec(), given)


def image(**changes: Any) -> Image:
    """The image, for x86_64."""
    return source_image(**{"architecture": "x86_64", **changes})


def seen(want: ProbeOptions, found: Image | None = None, **changes: Any) -> ProbeState:
    """The image is visible in every account, and there are no leftovers."""
    shown = found or image()
    images = {probe: shown for probe in want.probes() if probe.image_id}
    return ProbeState(**{"account_id": OWNER, "partition": "aws", "now": NOW, "images": images, **changes})


def outcome(cause: Cause | None = None) -> Outcome:
    """The launch of ``PROBE``, which failed for this cause, if any."""
    return Outcome(state={HERE: TargetRun(launches={PROBE: Launch(cause=cause)})})


def results(want: ProbeOptions, saw: ProbeState, cause: Cause | None = None) -> list[dict[str, Any]]:
    """What the module returns of each image in each account; the first is ``PROBE``."""
    found: list[dict[str, Any]] = FLOW.result(want, saw, plan(want, saw), outcome(cause))["results"]
    return found


def launched(want: ProbeOptions, saw: ProbeState) -> list[tuple[str, str, dict[str, Any]]]:
    """The planned launches: account, region, and parameters."""
    return [
        (one.target.account_id, one.target.region, dict(one.parameters))
        for one in plan(want, saw).actions
        if one.operation == "RunInstances"
    ]


def instance(tag: str, launched_at: datetime | None = NOW) -> Instance:
    """An instance of an earlier probe, with this tag."""
    return Instance("i-old", "running", launched_at, {PROBE_TAG: tag})
