# SPDX-License-Identifier: GPL-3.0-or-later

"""Which subnets a dry run is repeated in, and which of the answers counts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import DRY_RUN_SUCCEEDED, Subnet
from ansible_collections.golden.images.plugins.module_utils._diagnose.subnets import (
    MOST_TRIED,
    choose,
    decide,
    is_certain,
    is_decided,
    is_missing,
)
from ansible_collections.golden.images.plugins.module_utils._model import Target
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER

HOME = Target(CONSUMER, "us-east-1")
ACCEPTED, DENIED = (DRY_RUN_SUCCEEDED, "Yes."), ("UnauthorizedOperation", "No.")
OF_INSTANCE = ("UnauthorizedOperation", "on resource: arn:aws:ec2:us-east-1:1:instance/*")
UNSUPPORTED, OF_IMAGE = ("Unsupported", "Not in this zone."), ("InvalidAMIID.Unavailable", "No.")


def subnet(name: str, zone: str = "us-east-1a", **changes: Any) -> Subnet:
    given = {"vpc_id": "vpc-1", "owner_id": CONSUMER, "free_addresses": 8, **changes}
    return Subnet(subnet_id=f"subnet-{name}", zone=zone, **given)


SUBNETS = st.lists(
    st.builds(
        Subnet,
        subnet_id=st.from_regex(r"subnet-[0-9a-f]{3}", fullmatch=True),
        vpc_id=st.sampled_from(["vpc-1", "vpc-2", "vpc-3"]),
        zone=st.sampled_from(["us-east-1a", "us-east-1f", "us-east-1-bos-1a"]),
        owner_id=st.sampled_from([CONSUMER, OWNER]),
        free_addresses=st.sampled_from([None, 0, 8]),
        is_ipv6_only=st.booleans(),
        on_outpost=st.booleans(),
    ),
    unique_by=lambda one: one.subnet_id,
    max_size=12,
)


@pytest.mark.parametrize(
    ("found", "first"),
    [
        pytest.param([subnet("2"), subnet("1")], "1", id="by ID"),
        pytest.param([subnet("1", "us-east-1b"), subnet("2")], "2", id="by zone"),
        pytest.param([subnet("1", owner_id=OWNER), subnet("2", "us-east-1f")], "2", id="own before shared"),
        pytest.param([subnet("1", "us-east-1-bos-1a"), subnet("2")], "2", id="no Local Zone"),
        pytest.param([subnet("1", on_outpost=True), subnet("2", "us-east-1f")], "2", id="no Outpost"),
        pytest.param([subnet("1", is_ipv6_only=True), subnet("2")], "2", id="with IPv4"),
        pytest.param([subnet("1", free_addresses=0), subnet("2")], "2", id="with a free address"),
        pytest.param([subnet("1", free_addresses=None), subnet("2")], "1", id="addresses unknown"),
        pytest.param(
            [subnet("1", owner_id=OWNER), subnet("2", "us-east-1-bos-1a", free_addresses=0)],
            "2",
            id="own in any case",
        ),
    ],
)
def test_which_subnet_is_tried_first(found: list[Subnet], first: str) -> None:
    assert choose(found, HOME)[0] == f"subnet-{first}"


def test_one_subnet_for_each_vpc_and_zone() -> None:
    found = [
        *(subnet("1"), subnet("2"), subnet("3", "us-east-1b"), subnet("4", vpc_id="vpc-2")),
        subnet("5", "us-east-1b", vpc_id="vpc-2"),
    ]
    assert choose(found, HOME) == ("subnet-1", "subnet-4", "subnet-3", "subnet-5")
    assert choose([], HOME) == ()


@given(SUBNETS, st.randoms(use_true_random=False))
def test_the_choice_depends_on_the_subnets_alone(found: list[Subnet], chance: Any) -> None:
    chosen = choose(found, HOME)
    shuffled = [*found]
    chance.shuffle(shuffled)
    assert choose(shuffled, HOME) == chosen
    assert bool(chosen) == bool(found)
    assert len(chosen) <= MOST_TRIED
    places = {one.subnet_id: (one.vpc_id, one.zone) for one in found}
    assert len({places[subnet_id] for subnet_id in chosen}) == len(chosen)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("VPCIdNotSpecified", True),
        ("VPCResourceNotSpecified", True),
        ("MissingInput", True),
        ("InvalidSubnetID.NotFound", False),
        (DRY_RUN_SUCCEEDED, False),
        ("UnauthorizedOperation", False),
    ],
)
def test_when_a_launch_needs_a_subnet(code: str, expected: bool) -> None:
    assert is_missing(code) is expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([ACCEPTED], ACCEPTED),
        ([UNSUPPORTED, ACCEPTED], ACCEPTED),
        ([DENIED, UNSUPPORTED, ACCEPTED], ACCEPTED),
        ([UNSUPPORTED, OF_INSTANCE], UNSUPPORTED),
        ([UNSUPPORTED, OF_IMAGE], OF_IMAGE),
        ([UNSUPPORTED], UNSUPPORTED),
        ([DENIED, DENIED], DENIED),
        ([DENIED, UNSUPPORTED], UNSUPPORTED),
        ([UNSUPPORTED, DENIED], UNSUPPORTED),
    ],
)
def test_which_answer_counts(answers: list[tuple[str, str]], expected: tuple[str, str]) -> None:
    assert decide(answers) == expected
    assert not any(map(is_decided, answers[:-1]))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ACCEPTED, True),
        (OF_IMAGE, True),
        (("InsufficientFreeAddressesInSubnet", "No."), False),
        (("InvalidParameter", "They belong to different networks."), False),
        (("InvalidSubnetID.NotFound", "No."), False),
        (UNSUPPORTED, False),
        (DENIED, False),
        (("UnauthorizedOperation", "on resource: arn:aws:ec2:us-east-1:1:subnet/subnet-1"), False),
        (OF_INSTANCE, False),
    ],
)
def test_what_another_subnet_could_change(answer: tuple[str, str], expected: bool) -> None:
    assert is_decided(answer) is expected


@pytest.mark.parametrize(
    ("kind", "expected"), [("image", True), ("instance", True), ("volume", True), ("subnet", False)]
)
def test_a_denial_in_a_subnet_of_each_zone_is_one_for_the_account(kind: str, expected: bool) -> None:
    assert is_certain(f"on resource: arn:aws:ec2:us-east-1:1:{kind}/*") is expected
