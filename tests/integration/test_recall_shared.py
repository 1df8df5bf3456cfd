# SPDX-License-Identifier: GPL-3.0-or-later

"""A recall moves a parameter that is shared through AWS RAM only to an image that its consumers launch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from . import in_process, publishing
from .fixture import HOME, OWNER, Fixture
from .publishing import AWAY, CONSUMER, PARAMETER, REGIONS
from .test_publish_share import OUTSIDE, launched

READ = "POST /getresourceshareassociations"


def test_a_region_whose_image_a_consumer_cannot_launch_stays_until_it_is_shared(
    aws: SimulatedAws, fixture: Fixture, tmp_path: Path
) -> None:
    publishing.enable_sharing(aws)
    consumers, sharing = fixture.account_ids(CONSUMER, OUTSIDE), {"accounts": [CONSUMER, OUTSIDE]}
    first, second = (publishing.golden_images(fixture, name, sharing) for name in ("2026.10", "2026.11"))
    for images in (first, second):
        options = {"images": images, "source_image_id": images[HOME], "publish_share": consumers}
        in_process.run(aws, OWNER, "ami_publish", {"parameter": PARAMETER, **options})
    assert [publishing.value(aws, OWNER, region) for region in REGIONS] == [second[HOME], second[AWAY]]
    permission = [{"UserId": aws.account_id(OUTSIDE)}]
    ec2 = aws.client("ec2", OWNER, AWAY)
    ec2.modify_image_attribute(ImageId=first[AWAY], LaunchPermission={"Remove": permission})
    recall = {
        "source_image_id": second[HOME],
        "source_region": HOME,
        "regions": [*REGIONS],
        "parameter": PARAMETER,
        "tombstone_path": str(tmp_path / "recalls.jsonl"),
    }

    def run() -> list[dict[str, Any]]:
        aws.clear_calls()
        found: list[dict[str, Any]] = in_process.run(aws, OWNER, "ami_recall", recall)["failures"]
        return found

    def values() -> list[str]:
        return [publishing.value(aws, OWNER, region) for region in REGIONS]

    aws.add_fault("denied", service="ram", action=READ, region=HOME, times=0)
    failures = {item["region"]: item["error_code"] for item in run()}
    assert failures == {HOME: "AccessDeniedException", AWAY: "missing_launch_permission"}
    assert values() == [second[HOME], second[AWAY]]

    aws.clear_faults()
    (failure,) = run()
    assert (failure["region"], failure["error_code"]) == (AWAY, "missing_launch_permission")
    assert aws.account_id(OUTSIDE) in failure["message"]
    assert aws.account_id(CONSUMER) not in failure["message"]
    assert values() == [first[HOME], second[AWAY]]
    assert launched(aws, OUTSIDE, HOME) == first[HOME]
    assert launched(aws, OUTSIDE, AWAY) == second[AWAY]
    # The parameter's resource share, and who is in it.
    ec2.modify_image_attribute(ImageId=first[AWAY], LaunchPermission={"Add": permission})
    assert run() == []
    assert values() == [first[HOME], first[AWAY]]
    assert Counter((call.action, call.region) for call in aws.calls(service="ram")) == {(READ, AWAY): 2}
    assert launched(aws, CONSUMER, AWAY) == launched(aws, OUTSIDE, AWAY) == first[AWAY]
