# SPDX-License-Identifier: GPL-3.0-or-later

"""The remedy of a denied call names its IAM action with the prefix of the service, as policies need it."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.errors import failure
from ansible_collections.golden.images.plugins.module_utils._aws.iam_actions import name_actions
from botocore.exceptions import ClientError

from tests.unit.wire import Wire


@pytest.mark.parametrize(
    ("service", "method", "code", "message", "allow"),
    [
        ("ec2", "describe_images", "UnauthorizedOperation", "No.", "Allow ec2:DescribeImages in"),
        ("emr", "list_clusters", "AccessDeniedException", "No.", "Allow elasticmapreduce:ListClusters in"),
        (
            "ec2",
            "describe_images",
            "UnauthorizedOperation",
            "User: u is not authorized to perform: ec2:CreateTags on resource: r",
            "Allow ec2:CreateTags in",
        ),
        # Not an action but an operation: it is looked up in the API reference.
        ("ec2", "describe_images", "Client.Odd", "No.", "See the error Client.Odd of DescribeImages in"),
    ],
)
def test_a_remedy_names_the_action(service: str, method: str, code: str, message: str, allow: str) -> None:
    wire = Wire(service)
    name_actions(wire.client.meta.events)
    wire.refuse(method, {}, code, message)
    with wire.spoken(), pytest.raises(ClientError) as caught:
        getattr(wire.client, method)()
    assert failure(caught.value, None, "x").remedy.startswith(allow)
