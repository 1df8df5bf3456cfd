# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share, and their validation. ``doc_fragments`` documents them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .failures import Failure, Refused, invalid_value
from .model import ConsumerRole, ImagesByTarget, Network, Sharing
from .parameter_names import name_problem
from .structure import as_list
from .tags import PROBE_TAG, check_tag_count, check_tags
from .variables import Unreadable, account_id, owner, text_of
from .wording import shown

IMAGES_SPEC: dict[str, Any] = {
    "images": {"type": "dict"},
    "image_id": {"type": "str"},
}
# Not "dict": images in several accounts are a list.
IMAGES_BY_TARGET_SPEC: dict[str, Any] = {**IMAGES_SPEC, "images": {"type": "raw"}}
# ``context`` is what ``variables.options_of`` reads; Ansible has no such types.
CONSUMER_ROLE_SPEC: dict[str, Any] = {
    "consumer_role_name": {"type": "str", "context": {"type": "role_name"}},
    "external_id": {"type": "str", "no_log": True, "context": {"type": "external_id"}},
}
ACCOUNT_IDS_SPEC: dict[str, Any] = {"type": "list", "elements": "str", "context": {"elements": "account_id"}}
OWNERS_SPEC: dict[str, Any] = {"type": "list", "elements": "str", "context": {"elements": "owner"}}
TAGS_SPEC: dict[str, Any] = {"type": "dict", "context": {"elements": "str"}}
CONSUMERS_SPEC: dict[str, Any] = {
    "account_ids": {**ACCOUNT_IDS_SPEC, "default": []},
    "org_arns": {"type": "list", "elements": "str", "default": []},
    "org_unit_arns": {"type": "list", "elements": "str", "default": []},
}

# Documented by the fragment launch.
LAUNCH_SPEC: dict[str, Any] = {
    "subnet_ids": {"type": "dict", "default": {}},
    "security_group_ids": {"type": "dict", "default": {}},
    "launch_tags": TAGS_SPEC,
}
# The files of a report, and the names of accounts in it.
REPORT_FILES_SPEC: dict[str, Any] = {
    "report_path": {"type": "path"},
    "report_dir": {"type": "path"},
}
REPORT_SPEC: dict[str, Any] = {
    **REPORT_FILES_SPEC,
    "account_names": {
        "type": "dict",
        "default": {},
        "context": {"keys": "account_id", "elements": "str"},
    },
}

# Documented by the fragment audit_result.
AUDIT_RESULT_SPEC: dict[str, Any] = {"audit_result": {"type": "dict"}, "audit_result_var": {"type": "str"}}
AUDIT_RESULT_RULES: dict[str, Any] = {
    rule: [tuple(AUDIT_RESULT_SPEC)] for rule in ("mutually_exclusive", "required_one_of")
}

IMAGE_ID = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")
SNAPSHOT_ID = re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})")
SUBNET_ID = re.compile(r"subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})")
SECURITY_GROUP_ID = re.compile(r"sg-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# Systems Manager API Reference, GetParameter, Name: a name, or the ARN of one that may be of another account,
# and a version or a label after a colon.
_PARAMETER = re.compile(
    r"(?:arn:aws[a-z-]*:ssm:(?P<region>[a-z0-9-]+):[0-9]{12}:parameter)?[A-Za-z0-9_./-]{1,1011}"
    r"(?::[A-Za-z0-9_.-]{1,100})?"
)
# botocore's endpoints.json, regionRegex of all partitions, without their lists of first parts.
REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")
# botocore shape InstanceType of EC2 lists the types, such as u-6tb1.metal and m7i-flex.large.
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
# Organizations API Reference, patterns of the Arn of Organization and of OrganizationalUnit.
_ORGANIZATION = r"arn:aws[a-z-]*:organizations::[0-9]{12}"
ORG_ARN = re.compile(_ORGANIZATION + r":organization/o-[a-z0-9]{10,32}")
ORG_UNIT_ARN = re.compile(_ORGANIZATION + r":ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")

_IMAGES_FORMS = "Map each region to an AMI ID, or list mappings with account_id, region and image_id."


class Options:
    """The values of a module's options, and all failures of their validation.

    With ``allows_planned``, an image may be null: a copy that does not exist yet.
    """

    def __init__(self, params: Mapping[str, Any], allows_planned: bool = False) -> None:
        self._params = params
        self._allows_planned = allows_planned
        # Keys only: an option that is read twice is refused once.
        self._failures: dict[Failure, None] = {}

    def refuse(self, option: str, problem: str, remedy: str) -> None:
        """Add a failure for an option whose value is not valid. A long problem, which contains it, is cut."""
        self.add([invalid_value(option, problem, remedy)])

    def add(self, failures: Iterable[Failure]) -> None:
        """Add failures."""
        self._failures.update(dict.fromkeys(failures))

    def check(self) -> None:
        """Raise ``Refused`` with all failures, if there are any."""
        if self._failures:
            raise Refused(self._failures)

    def strings(self, option: str) -> tuple[str, ...]:
        """A list of strings without surrounding space. A blank item adds a failure.

        It is not dropped: a list of one variable that happens to be empty would lose its meaning. Ansible
        turns null in a list of strings into a blank one.
        """
        given = tuple(str(item).strip() for item in self._params[option] or ())
        if not all(given):
            number = given.index("") + 1
            self.refuse(option, f"item {number} is empty.", "Remove it; only the whole list can be empty.")
        return tuple(text for text in given if text)

    def tags(self, option: str, prefix: str = "") -> dict[str, str] | None:
        """Tags with string values, None if the option is not set. ``prefix`` precedes the keys later."""
        value = self._params[option]
        if value is None:
            return None
        for key, item in value.items():
            self._check_text(option, "a key", key)
            if isinstance(item, (Mapping, list)):
                problem = f"the value of '{key}' is not text (got {shown(item)})."
                self.refuse(option, problem, "Set one text for each tag.")
            elif item is not None:
                self._check_text(option, f"'{key}'", item)
        tags = {str(key): "" if text is None else str(text) for key, text in value.items()}
        self.add(check_tags(option, tags, prefix))
        return tags

    def filters(self, option: str) -> dict[str, tuple[str, ...]]:
        """The values of each filter of DescribeImages as text; empty if the option is not set.

        A filter without a value adds a failure, and a value that YAML may have read from another text: 1.10
        would select the image of version 1.1, and an ``owner-id`` of 1402434204 no image.
        """
        given = self._params[option] or {}
        return {
            str(name): tuple(self._filter_values(option, str(name), value)) for name, value in given.items()
        }

    def _filter_values(self, option: str, name: str, given: Any) -> Iterator[str]:
        values = [] if given is None else as_list(given)
        if not values:
            self.refuse(option, f"'{name}' has no value.", "Set a text or a list, or remove it.")
        reads = owner if name == "owner-id" else text_of
        for value in values:
            # AWS expects true and false in lower case. As a tag, a boolean may have been on or yes.
            if isinstance(value, bool) and not name.startswith(("tag:", "tag-key")):
                yield str(value).lower()
            elif self._check_text(option, f"'{name}'", value, reads):
                yield reads(value)

    def _check_text(self, option: str, place: str, value: Any, reads: Callable[[Any], str] = text_of) -> bool:
        """Whether ``reads`` takes a value. One that YAML may have read from another text adds a failure."""
        try:
            reads(value)
        except Unreadable as unreadable:
            self.refuse(option, f"{place}: {unreadable.problem}", unreadable.remedy)
            return False
        return True

    def image_id(self, option: str, value: Any) -> str:
        """An AMI ID. A value that is not one adds a failure."""
        text = value.strip() if isinstance(value, str) else value
        if not isinstance(text, str) or not IMAGE_ID.fullmatch(text):
            problem = f"{shown(value)} is not a valid AMI ID."
            self.refuse(option, problem, "Use an ID such as ami-0123456789abcdef0.")
        return str(text)

    def parameter(self, option: str, value: str, region: str | None = None) -> str:
        """The name or ARN of an SSM parameter to read. A failure if not valid, or not of this region."""
        found = _PARAMETER.fullmatch(value)
        if not found:
            problem = f"{shown(value)} is not the name of a parameter."
            self.refuse(option, problem, "Use a name such as /golden/web, or the ARN of a parameter.")
        elif region and found["region"] not in (None, region):
            problem = f"{value} is not in {region}: its ARN names {found['region']}."
            self.refuse(option, problem, "Use a parameter of the source region, or set that region.")
        return value

    def consumers(self) -> Sharing:
        """The consumers in ``account_ids``, ``org_arns`` and ``org_unit_arns``."""
        return Sharing(
            account_ids=frozenset(self._params["account_ids"]),
            org_arns=frozenset(
                self.matching(
                    "org_arns", ORG_ARN, "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
                )
            ),
            org_unit_arns=frozenset(
                self.matching(
                    "org_unit_arns",
                    ORG_UNIT_ARN,
                    "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111",
                )
            ),
        )

    def region(self, option: str, value: Any) -> str:
        """A region of a valid form, which need not exist. A value that is not valid adds a failure."""
        text = value.strip() if isinstance(value, str) else value
        if not isinstance(text, str) or not REGION.fullmatch(text):
            self.refuse(option, f"{shown(text)} is not a region.", "Use a region such as eu-west-1.")
        return str(text)

    def regions(self, option: str) -> tuple[str, ...]:
        """A list of regions; see ``region`` and ``strings``."""
        return tuple(self.region(option, text) for text in self.strings(option))

    def source_region(self) -> str | None:
        """The region in ``source_region``, None if it is not set; see ``region``."""
        text = self._params["source_region"]
        return self.region("source_region", text) if text else None

    def instance_type(self) -> str | None:
        """The type in ``instance_type``, None if it is not set."""
        text = self._params["instance_type"]
        if text and not _INSTANCE_TYPE.fullmatch(text):
            self.refuse(
                "instance_type", f"{shown(text)} is not an instance type.", "Use one such as t3.micro."
            )
        return text or None

    def images(self) -> dict[str, str | None]:
        """Region to AMI ID, from ``images`` or from ``image_id`` and ``region``."""
        if self._params["image_id"] is not None:
            region = self._params["region"]
            if not region:
                self.refuse("image_id", "the region of the image is missing.", "Set region, or use images.")
            named = self.region("region", region) if region else ""
            return {named: self.image_id("image_id", self._params["image_id"])}
        images = self.mapped_images("images")
        if not self._params["images"]:
            self.refuse("images", "there are no images.", "Map each region to an AMI ID.")
        return images

    def mapped_images(self, option: str) -> dict[str, str | None]:
        """A mapping of region to AMI ID."""
        return {
            self.region(option, region): self._image_or_planned(option, region, image_id)
            for region, image_id in (self._params[option] or {}).items()
        }

    def images_by_target(self) -> ImagesByTarget:
        """The images in ``images``, or the one in ``image_id``.

        An image may be listed twice: with the regions' images, and as its owner's own among the consumers'.
        """
        listed = self._params["images"]
        if not isinstance(listed, list):
            own = self.images()
            return ImagesByTarget({(None, region): image_id for region, image_id in own.items()})
        images: dict[tuple[str | None, str], str | None] = {}
        for item in listed:
            if not isinstance(item, Mapping) or not {"account_id", "region", "image_id"} <= item.keys():
                problem = f"{shown(item)} has no account_id, region or image_id."
                self.refuse("images", problem, _IMAGES_FORMS)
                continue
            account_id = self.account_id("images", item["account_id"])
            region = self.region("images", item["region"])
            if not str(item["account_id"]).strip():
                self.refuse("images", f"the account_id of {region} is empty.", _IMAGES_FORMS)
            image_id = self._image_or_planned("images", region, item["image_id"])
            if images.get((account_id, region), image_id) != image_id:
                self.refuse("images", f"account {account_id} has two images in {region}.", "Remove one.")
            images[account_id, region] = image_id
        if not listed:
            self.refuse("images", "there are no images.", "Add at least one.")
        return ImagesByTarget(images)

    def consumer_role(self) -> ConsumerRole | None:
        """The role in ``consumer_role_name`` with its ``external_id``, None if it is not set."""
        name = self._params["consumer_role_name"]
        return ConsumerRole(name, self._params["external_id"]) if name else None

    def network(self) -> Network:
        """The subnets and security groups of launches: ``subnet_ids`` and ``security_group_ids``."""
        return Network(
            self._by_region_and_account(
                "subnet_ids", lambda value: self._resource_id("subnet_ids", "subnet", SUBNET_ID, value)
            ),
            self._by_region_and_account(
                "security_group_ids",
                lambda value: tuple(
                    self._resource_id("security_group_ids", "security group", SECURITY_GROUP_ID, item)
                    for item in as_list(value)
                ),
            ),
        )

    def launch_tags(self) -> dict[str, str]:
        """The tags of launches in ``launch_tags``, beside which a probe has one of its own."""
        tags = self.tags("launch_tags") or {}
        self.add(check_tag_count("launch_tags", {**tags, PROBE_TAG: ""}))
        return tags

    def _by_region_and_account(self, option: str, read: Callable[[Any], Any]) -> dict[str, Any]:
        """Region to a value, or to a mapping of account to value."""
        found: dict[str, Any] = {}
        for text, value in self._params[option].items():
            region = self.region(option, text)
            if isinstance(value, Mapping):
                accounts = {self.account_id(option, account_id): item for account_id, item in value.items()}
                found[region] = {account_id: read(item) for account_id, item in accounts.items()}
            else:
                found[region] = read(value)
        return found

    def _resource_id(self, option: str, kind: str, pattern: re.Pattern[str], value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            example = f"{pattern.pattern.partition('-')[0]}-0123456789abcdef0"
            self.refuse(option, f"{shown(value)} is not a valid {kind} ID.", f"Use an ID such as {example}.")
        return str(value)

    def account_id(self, option: str, value: Any) -> str | None:
        """An account ID. None for a blank one, and for a value that adds a failure."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            return account_id(value)
        except Unreadable as unreadable:
            self.refuse(option, unreadable.problem, unreadable.remedy)
            return None

    def bucket_owner(self, option: str) -> str | None:
        """The account that a bucket must belong to; None for that of the credentials."""
        value = self._params[option]
        return self.account_id(option, value) if value else None

    def account_ids(self, option: str) -> tuple[str, ...]:
        """A list of account IDs without duplicates."""
        return tuple(dict.fromkeys(self._params[option]))

    def _image_or_planned(self, option: str, region: str, image_id: Any) -> str | None:
        if image_id is not None:
            return self.image_id(option, image_id)
        if not self._allows_planned:
            self.refuse(
                option,
                f"the image in {region} is null: the copy does not exist yet.",
                "Copy the image first, and use the images that the copy task returns.",
            )
        return None

    def matching(self, option: str, pattern: re.Pattern[str], example: str) -> tuple[str, ...]:
        """A list of ARNs of one kind. An ARN that does not match ``pattern`` adds a failure."""
        texts = self.strings(option)
        for text in texts:
            if not pattern.fullmatch(text):
                self.refuse(option, f"'{text}' is not a full ARN.", f"Use an ARN such as {example}.")
        return texts


# Amazon S3 User Guide, "General purpose bucket naming rules": not the form of an IP address either.
_S3_URI = re.compile(
    r"s3://(?![0-9.]+(?:/|$))(?![^/]*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?P<path>.*))?"
)
# Amazon S3 User Guide, "Naming Amazon S3 objects": the most bytes of a key as UTF-8.
_LONGEST_KEY = 1024
# The longest name of a region, for the name of a tombstone's parameter and its ARN.
_LONGEST_REGION = "us-isof-south-1"
_TOMBSTONE = f"/{_LONGEST_REGION}/ami-0123456789abcdef0"


def is_s3_folder(uri: str, longest_name: int) -> bool:
    """Whether it is the URI of a bucket or a folder, with room for names of so many bytes in its keys."""
    found = _S3_URI.fullmatch(uri)
    if not found or not uri.isprintable():
        return False
    folder = (found["path"] or "").strip("/")
    return len(f"{folder}/".encode("utf-8", "replace")) + longest_name <= _LONGEST_KEY


def check_tombstone_stores(options: Options, s3_uri: str | None, ssm_path: str | None) -> None:
    """Add failures for an S3 URI or a parameter path that is not valid, without a call to AWS."""
    if s3_uri and not is_s3_folder(s3_uri, len(f"{_TOMBSTONE}/2026-11-24T12:00:00Z.json")):
        options.refuse(
            "tombstone_s3_uri",
            f"{shown(s3_uri)} is not a valid S3 URI.",
            "Use a URI such as s3://bucket/folder, of at most 900 bytes.",
        )
    # Without the last /, as the name of each parameter has it; "/" alone is no path.
    path = ssm_path[:-1] if ssm_path and ssm_path.endswith("/") else ssm_path
    if ssm_path and (not path or name_problem(f"{path}{_TOMBSTONE}", [_LONGEST_REGION])[0]):
        options.refuse(
            "tombstone_ssm_path",
            f"{shown(ssm_path)} is not a valid parameter path.",
            "Use a path such as /golden/retired: letters, digits and . - _ /, a leading /, at most 13 levels "
            "and 900 characters, not beginning with aws or ssm.",
        )
