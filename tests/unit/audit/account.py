# SPDX-License-Identifier: GPL-3.0-or-later

"""An account with images, as its calls answer an audit."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from ansible_collections.golden.images.plugins.modules import ami_share_audit
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER
from tests.unit.flow_run import FlowRun
from tests.unit.keys.policies import policy_of

EU, WEST = "eu-west-1", "us-west-2"
KEY, FOREIGN = (f"arn:aws:kms:{EU}:{account}:key/1" for account in (OWNER, STRANGER))
PUBLIC = [{"Group": "all"}]


def item(image_id: str = SOURCE_ID, *snapshot_ids: str, **changes: Any) -> dict[str, Any]:
    """An image as DescribeImages returns it."""
    return {
        "ImageId": image_id,
        "OwnerId": OWNER,
        "State": "available",
        "Name": "golden",
        "BlockDeviceMappings": [
            {"DeviceName": f"/dev/sd{number}", "Ebs": {"SnapshotId": one, "Encrypted": True}}
            for number, one in enumerate(snapshot_ids)
        ],
        **changes,
    }


class Account(Answers):
    """An account whose images are shared with a consumer account.

    ``later`` are its images as they are once all permissions have been read, ``unused`` its snapshots that
    may be unused, ``keys`` the key of each snapshot, ``volume`` their permissions. ``refused`` are the
    answers to calls whose text (see ``asked``) begins so. ``others`` are accounts that answer in other
    regions.
    """

    def __init__(
        self,
        *images: dict[str, Any],
        later: Iterable[dict[str, Any]] | None = None,
        unused: Iterable[str] = (),
        keys: Mapping[str, str | None] | None = None,
        associated: Iterable[str] = (),
        volume: Iterable[dict[str, str]] = PUBLIC,
        manager: str = "CUSTOMER",
        refused: Mapping[str, Any] | None = None,
        **answers: Any,
    ) -> None:
        metadata = {
            "Arn": KEY,
            "KeyId": "1",
            "KeyState": "Enabled",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyManager": manager,
        }
        grant = {"GrantId": "g", "GranteePrincipal": CONSUMER, "Operations": ["Decrypt"]}
        given = {
            "describe_images": self._images,
            "describe_snapshots": self._snapshots,
            "describe_image_attribute": {"LaunchPermissions": [{"UserId": CONSUMER}]},
            "describe_snapshot_attribute": {"CreateVolumePermissions": [*volume]},
            "get_image_block_public_access_state": {"ImageBlockPublicAccessState": "block-new-sharing"},
            "get_snapshot_block_public_access_state": {"State": "unblocked"},
            "describe_key": {"KeyMetadata": metadata},
            "list_grants": {"Grants": [grant]},
            "get_key_policy": lambda request: (
                {"Policy": policy_of()} if request["PolicyName"] == "default" else "NotFoundException"
            ),
        }
        super().__init__(**{**given, **answers})
        self.listed, self.later = images, images if later is None else tuple(later)
        self.unused, self.keys, self.associated = unused, keys or {}, associated
        self.refused = refused or {}
        self.others: dict[str, Account] = {}
        self.paces: set[tuple[str, str | None]] = set()
        self._pace: str | None = None

    @property
    def asked(self) -> Counter[str]:
        """The texts of the calls for images, snapshots and keys: the method and the resources."""
        always = ("describe_regions", "get_caller_identity")
        return Counter(_text(method, request) for method, request in self.calls if method not in always)

    def rate_limited(self, operation: str) -> Account:
        found = copy.copy(self)
        found._pace = operation
        return found

    def client(self, service: str, region: str) -> Any:
        client = super().client(service, region)
        account = self.others.get(region, self)
        client._make_api_call = lambda operation, request: account._answer(client, operation, request)
        return client

    def _answer(self, client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        method = xform_name(operation)
        self.paces.add((method, self._pace))
        text = _text(method, request)
        for begins, answer in self.refused.items():
            if text.startswith(begins):
                self.calls.append((method, request))
                raise refusal(answer) if isinstance(answer, str) else answer
        return super()._answer(client, operation, request)

    def _images(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if not request["Filters"]:
            return {"Images": [*self.listed]}
        (snapshots,) = (one["Values"] for one in request["Filters"])
        return {"Images": [one for one in self.later if not snapshots_of(one).isdisjoint(snapshots)]}

    def _snapshots(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert request.get("OwnerIds") == ["self"] or request.get("SnapshotIds")
        if (ids := request.get("SnapshotIds", _named_in(request))) is None:
            return {"Snapshots": [{"SnapshotId": one} for one in self.unused]}
        associated = [{"KmsKeyId": arn} for arn in self.associated]
        return {
            "Snapshots": [
                {
                    "SnapshotId": one,
                    "State": "completed",
                    **({"KmsKeyId": self.keys[one]} if self.keys[one] else {}),
                    "AssociatedKmsKeys": associated,
                }
                for one in ids
                if one in self.keys
            ]
        }


def refusal(code: str) -> ClientError:
    """An error from AWS."""
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "Some")


def snapshots_of(image: Mapping[str, Any]) -> set[str]:
    return {mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"]}


def _named_in(request: Mapping[str, Any]) -> list[str] | None:
    """The snapshots that a request names in its filter, None if it has another one."""
    by_id = [one["Values"] for one in request.get("Filters", ()) if one["Name"] == "snapshot-id"]
    return cast("list[str]", by_id[0]) if by_id else None


def _text(method: str, request: Mapping[str, Any]) -> str:
    """What a call asks for."""
    if method == "describe_images" and request["Filters"]:
        return "list images by snapshot"
    if method == "describe_snapshots" and "SnapshotIds" not in request and _named_in(request) is None:
        return f"list unused snapshots {'public' if 'RestorableByUserIds' in request else 'by filter'}"
    named = [str(value) for name, value in sorted(request.items()) if name.endswith("Id")]
    return " ".join([method, *named, *request.get("SnapshotIds", ()), request.get("PolicyName", "")]).strip()


def run(aws: Account, **options: Any) -> FlowRun:
    """A run of ``ami_share_audit``, by default in one region."""
    given = {"regions": [EU], **options}
    return FlowRun(ami_share_audit.FLOW, given, aws)


def unreadable(found: FlowRun) -> list[tuple[str, str, str | None]]:
    """Code, resource and image of each finding about what could not be read."""
    return [
        (one["code"], one["resource"], one["image_id"])
        for one in found.result["findings"]
        if one["code"].endswith("_unreadable")
    ]


def sharing(found: FlowRun) -> dict[str, bool]:
    """Whether the launch permissions of each image were read."""
    return {one["image_id"]: one["sharing"] is not None for one in found.results}


def snapshots(found: FlowRun) -> dict[str, dict[str, Any]]:
    """The snapshots of images, by their IDs."""
    return {one["snapshot_id"]: one for image in found.results for one in image["snapshots"]}


def unused(found: FlowRun) -> dict[str, bool]:
    """The snapshots that no image uses, and whether they are public."""
    return {one["snapshot_id"]: one["public"] for one in found.result["unused_snapshots"]}
