# SPDX-License-Identifier: GPL-3.0-or-later
"""Two releases of an encrypted image in many regions, and what of them is published in a parameter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .fixtures import HOME, OTHER_REGIONS, OWNER, ROLE, consumers, shared

PARAMETER = "/golden/web"
FAMILY = "family"
"""The tag of the images with the name of their family."""

_MANAGEMENT = "management"
# How many days ago they were made.
_AGES = {"old": 30, "new": 1}


@dataclass(frozen=True)
class Releases:
    """The images of two releases by region, which are the owner's, and the accounts that may use them."""

    old: Mapping[str, str]
    new: Mapping[str, str]
    account_ids: list[str]

    @property
    def shares(self) -> dict[str, Any]:
        """The options of a publication in one parameter a region, which AWS RAM shares with the accounts."""
        return {"share": self.account_ids}

    @property
    def in_accounts(self) -> dict[str, Any]:
        """The options of a publication or recall in a parameter of each account."""
        return {"account_ids": self.account_ids, "consumer_role_name": ROLE}


def build(aws: SimulatedAws, account_count: int, region_count: int) -> Releases:
    """Make both releases: copies of an image at home, in an organization that shares through AWS RAM."""
    aws.reset()
    account_ids, regions = consumers(account_count), (HOME, *OTHER_REGIONS[: region_count - 1])
    names = {f"{release}-{region}": region for release in _AGES for region in regions}
    document = shared(account_ids, names)
    for release, days in _AGES.items():
        for region in regions:
            image = {"name": release, "age_days": days, "tags": {FAMILY: "web"}}
            document["images"][f"{release}-{region}"] |= image
    document["organization"] = {"management_account": _MANAGEMENT, "accounts": list(document["accounts"])}
    document["accounts"][_MANAGEMENT] = "999999999999"
    images = aws.load_fixture(document)["images"]
    aws.client("ram", _MANAGEMENT).enable_sharing_with_aws_organization()
    old, new = ({region: images[f"{name}-{region}"]["image_id"] for region in regions} for name in _AGES)
    for region in regions[1:]:
        ec2 = aws.client("ec2", OWNER, region)
        for release in (old, new):
            source = {"Key": "golden.images:source", "Value": f"{HOME}/{release[HOME]}"}
            ec2.create_tags(Resources=[release[region]], Tags=[source])
    return Releases(old, new, account_ids)


def publish(aws: SimulatedAws, images: Mapping[str, str], options: Mapping[str, Any]) -> playbook.Run:
    """Publish a release by the playbook."""
    given = {
        "images": images,
        "parameter": PARAMETER,
        "source_image_id": images[HOME],
        "source_region": HOME,
        **options,
    }
    variables = {f"publish_{name}": value for name, value in given.items()}
    return playbook.run(aws, OWNER, "golden.images.publish_ami", variables)


def wrong_parameters(
    aws: SimulatedAws, images: Mapping[str, str], consumer_ids: Collection[str] = (), accounts: int = 1
) -> dict[str, float]:
    """The parameters there should be, and how many of them are missing or wrong.

    One is right if it names its region's image, and is shared with these consumers if there are any.
    ``accounts`` is how many have a parameter in each region.
    """
    world = aws.world()
    given = {
        (share["account_id"], share["region"]): {
            entity
            for kind, entity, status in share["associations"]
            if (kind, status) == ("PRINCIPAL", "ASSOCIATED")
        }
        for share in world
        if share["kind"] == "resource share"
    }
    right = [
        one
        for one in world
        if one["kind"] == "parameter"
        and one["newest"]
        and one["value"] == images[one["region"]]
        and given.get((one["account_id"], one["region"]), set()) == {*consumer_ids}
    ]
    wanted = len(images) * accounts
    return {"parameters": wanted, "wrong_parameters": wanted - len(right)}
