# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS's request rates force a number of calls to take."""

from __future__ import annotations

import pytest

from simulated_aws.http.record import RecordedCall
from tests.benchmark.audit import forced_seconds


def calls(action: str, count: int, region: str = "eu-west-1", status: int = 200) -> list[RecordedCall]:
    """So many different calls."""
    return [
        RecordedCall(
            number, 0.0, "111122223333", region, "ec2", action, {"ImageId": str(number)}, "", "", status
        )
        for number in range(count)
    ]


IMAGES, SNAPSHOTS = "DescribeImageAttribute", "DescribeSnapshotAttribute"


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        ([], 0),
        (calls(IMAGES, 100), 0),
        (calls(IMAGES, 500), 20),
        (calls(IMAGES, 500) + calls(SNAPSHOTS, 300), 20),
        (calls(IMAGES, 300) + calls(IMAGES, 500, "us-west-2"), 20),
        (calls(IMAGES, 500) + calls(IMAGES, 500), 20),
        (calls(IMAGES, 500) + calls(IMAGES, 900, status=503), 20),
        (calls("ModifyImageAttribute", 110), 2),
    ],
    ids=[
        *("nothing", "one burst", "beyond the burst", "another API", "another region", "again", "refused"),
        "another rate",
    ],
)
def test_forced_seconds(made: list[RecordedCall], seconds: float) -> None:
    assert forced_seconds(made) == seconds
