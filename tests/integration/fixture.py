# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixture of most tests: accounts by name, and a golden image with two disks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from simulated_aws import client
from simulated_aws.client import SimulatedAws

OWNER = "images"
CONSUMERS = ("web-prod", "web-staging")
STRANGER = "partner"
HOME = "us-east-1"
UNIT = "workloads/prod"

_DOCUMENT = Path(client.__file__).parent / "fixtures" / "two_disk_ami.yml"
_IMAGE = "golden-web-2026.11.1"


class Fixture:
    """Loads the fixture into a simulated AWS and provides the IDs of its resources."""

    def __init__(self, aws: SimulatedAws) -> None:
        self._aws = aws
        self._document: dict[str, Any] = yaml.safe_load(_DOCUMENT.read_text(encoding="utf-8"))
        self._description = aws.load_fixture(self._document)

    @property
    def image_id(self) -> str:
        """The golden image, in ``HOME``."""
        return str(self._description["images"][_IMAGE]["image_id"])

    @property
    def name(self) -> str:
        """The golden image's name."""
        return _IMAGE

    def account_ids(self, *accounts: str) -> list[str]:
        """The IDs of accounts given by name."""
        return [self._aws.account_id(account) for account in accounts]

    @property
    def org_arn(self) -> str:
        """ARN of the organization, which includes all accounts except the stranger's."""
        return str(self._description["organization"]["arn"])

    def unit_arn(self, path: str = UNIT) -> str:
        """ARN of an organizational unit, by default the one with web-prod and data-prod."""
        return str(self._description["organization"]["units"][path]["arn"])

    def environment(self, account: str) -> dict[str, str]:
        """The environment for a subprocess, with the credentials of an account, given by name."""
        return self._aws.environment(account)

    def add_images(self, images: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Add images in the format of the fixture; return their IDs by label."""
        described = self.add(images=images)["images"]
        return {label: described[label]["image_id"] for label in images}

    def add(self, accounts: Mapping[str, str] | None = None, **parts: Any) -> dict[str, Any]:
        """Load more parts of a fixture; return their description."""
        return self._aws.load_fixture(
            {
                "accounts": {**self._document["accounts"], **(accounts or {})},
                "not_opted_in_regions": self._document["not_opted_in_regions"],
                **parts,
            }
        )
