# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that calls can have, by botocore: so that a fault of a misspelt action is an error."""

from __future__ import annotations

import re
from functools import cache

from botocore.loaders import create_loader

# Signing names, and the names of the services in botocore.
_SERVICES = {
    **{name: name for name in ("autoscaling", "cloudformation", "cloudtrail", "ec2", "events", "iam")},
    **{name: name for name in ("kms", "logs", "organizations", "sns", "sqs", "ssm", "sts")},
    "monitoring": "cloudwatch",
}
_REST_SERVICES = frozenset({"batch", "s3", "imagebuilder", "ram", "rbin"})

_METHOD_AND_PATH = re.compile(r"(DELETE|GET|HEAD|PATCH|POST|PUT) ")


def exists(action: str, service: str = "") -> bool:
    """Whether a call can have this action, or one that begins so if it ends with `*`.

    An action with method and path is not looked up, and neither is one of a service that only moto has: the
    services that are looked up are those that this package extends, with CloudWatch and its logs.
    """
    if _METHOD_AND_PATH.match(action):
        return True
    if service and service not in _SERVICES:
        return service not in _REST_SERVICES
    return any(_has(one, action) for one in ([service] if service else _SERVICES))


def _has(service: str, action: str) -> bool:
    names = _names(service)
    return any(name.startswith(action[:-1]) for name in names) if action.endswith("*") else action in names


@cache
def _names(service: str) -> frozenset[str]:
    return frozenset(create_loader().load_service_model(_SERVICES[service], "service-2")["operations"])
