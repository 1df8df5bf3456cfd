# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS's request rates force a number of calls to take."""

from __future__ import annotations

import pytest

from simulated_aws.http.record import RecordedCall
from tests.benchmark.floor import Distribution, forced, forced_before_and_after, forced_by


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
def test_forced_by(made: list[RecordedCall], seconds: float) -> None:
    assert forced_by(made) == seconds


@pytest.mark.parametrize(("factor", "seconds"), [(1, 20), (0.5, 45), (5, 0), (0, 0)])
def test_forced_by_other_rates(factor: float, seconds: float) -> None:
    assert forced_by(calls(IMAGES, 500), factor) == seconds


DEREGISTER = "DeregisterImage"


@pytest.mark.parametrize(
    ("made", "factor", "seconds"),
    [
        pytest.param([], 1, 0, id="nothing"),
        pytest.param(calls(IMAGES, 300), 1, 10, id="nothing is changed"),
        pytest.param(calls(IMAGES, 300) + calls(DEREGISTER, 300), 1, 50, id="one after the other"),
        pytest.param(calls(IMAGES, 300) + calls(DEREGISTER, 300), 0.5, 125, id="at half of the rates"),
        pytest.param(calls(DEREGISTER, 300) + calls(IMAGES, 300), 1, 40, id="reads beside changes"),
        pytest.param(calls(IMAGES, 300) + calls(DEREGISTER, 300), 0, 0, id="without rates"),
    ],
)
def test_reads_before_the_first_change_take_their_time(
    made: list[RecordedCall], factor: float, seconds: float
) -> None:
    assert forced_before_and_after(made, DEREGISTER, factor) == seconds


@pytest.mark.parametrize(
    ("action", "count", "seconds"), [("CreateGrant", 50, 0), ("CreateGrant", 500, 9), ("Unknown", 500, 0)]
)
def test_forced(action: str, count: int, seconds: float) -> None:
    assert forced("kms", action, count) == seconds


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        (Distribution(latency=0.04, copy=20), 20.28),
        (Distribution(latency=0.04, copy=20, grants=500), 20.28),
        (Distribution(latency=0, copy=2, grants=500), 9),
    ],
    ids=["copy", "grants within the copy", "grants longer than the copy"],
)
def test_floor_of_a_distribution(one: Distribution, seconds: float) -> None:
    assert one.seconds() == pytest.approx(seconds)
