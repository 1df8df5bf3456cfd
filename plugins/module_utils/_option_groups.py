# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share, each group a base class. ``doc_fragments`` documents them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Any, TypeVar

from ._finding import Severity
from ._model import ConsumerRole, ImagesByTarget, Network, Sharing
from ._option import (
    ACCOUNT_ID,
    ACCOUNT_IDS,
    FLAG,
    IMAGE_ID,
    IMAGES,
    NUMBER,
    PATH,
    REGION,
    TEXT,
    TEXTS,
    Kind,
    Options,
    Problem,
    Refuse,
    choice,
    of_every_module,
    option,
    optional,
    read_account_id,
    read_image_id,
    read_images,
    read_region,
    read_texts,
    tags,
    texts_like,
)
from ._parameter_names import name_problem
from ._step_results import (
    CONSUMER_COPIES,
    COPY_RESULT,
    OWNED_COPIES,
    SHARE_RESULT,
    CopyResult,
    ShareResult,
)
from ._structure import as_list
from ._tags import PROBE_TAG, tag_count_problems
from ._variables import ACCOUNT_ID as VALID_ACCOUNT_ID
from ._variables import Unreadable, owner, text_of
from ._wording import render_value

Shared = TypeVar("Shared", bound="SharedCopiesOptions")
SharedImage = TypeVar("SharedImage", bound="SharedImageOptions")

# Systems Manager API Reference, GetParameter, Name: a name, or the ARN of one that may be of another account,
# and a version or a label after a colon.
_PARAMETER = re.compile(
    r"(?:arn:aws[a-z-]*:ssm:(?P<region>[a-z0-9-]+):[0-9]{12}:parameter)?[A-Za-z0-9_./-]{1,1011}"
    r"(?::[A-Za-z0-9_.-]{1,100})?"
)
# botocore shape InstanceType of EC2 lists the types, such as u-6tb1.metal and m7i-flex.large.
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_ORGANIZATION = r"arn:aws[a-z-]*:organizations::[0-9]{12}"
# Organizations API Reference, patterns of the Arn of Organization and of OrganizationalUnit.
_ORG_ARN = re.compile(_ORGANIZATION + r":organization/o-[a-z0-9]{10,32}")
_ORG_UNIT_ARN = re.compile(_ORGANIZATION + r":ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
_IMAGES_FORMS = "Map each region to an AMI ID, or list mappings with account_id, region and image_id."


def _severity(given: str | None, _refuse: Refuse) -> Severity | None:
    return None if given in (None, "none") else Severity[given.upper()]


# The severity from which on findings fail the task; None if none does.
FAIL_ON_SEVERITY: Kind[Severity | None] = Kind(choice("none", "low", "medium", "high").spec, _severity)


def arns_like(pattern: re.Pattern[str], example: str) -> Kind[tuple[str, ...]]:
    """A list of ARNs of one kind."""
    return texts_like(pattern, "is not a full ARN.", f"Use an ARN such as {example}.")


ORG_ARNS = arns_like(_ORG_ARN, "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5")
ORG_UNIT_ARNS = arns_like(
    _ORG_UNIT_ARN, "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111"
)


def _consumers(given: Any, refuse: Refuse) -> tuple[str, ...]:
    texts = read_texts(given, refuse)
    for text in texts:
        if not any(form.fullmatch(text) for form in (VALID_ACCOUNT_ID, _ORG_ARN, _ORG_UNIT_ARN)):
            refuse(
                f"{render_value(text)} is neither an account ID nor the ARN of an organization or unit.",
                'Use 12 digits in quotes such as "012345678901", or a full ARN.',
            )
    return tuple(dict.fromkeys(texts))


# Account IDs, and ARNs of organizations and organizational units, in one list.
CONSUMERS: Kind[tuple[str, ...]] = Kind(
    {"type": "list", "elements": "str", "default": [], "context": {"elements": "consumer"}}, _consumers
)


@dataclass(frozen=True, kw_only=True)
class ConsumerOptions(Options):
    """The accounts and organizations that use an image."""

    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    org_arns: tuple[str, ...] = option(ORG_ARNS)
    org_unit_arns: tuple[str, ...] = option(ORG_UNIT_ARNS)

    @property
    def consumers(self) -> Sharing:
        """The consumers that are named."""
        return Sharing(frozenset(self.account_ids), frozenset(self.org_arns), frozenset(self.org_unit_arns))


@dataclass(frozen=True, kw_only=True)
class SharedImageOptions(ConsumerOptions):
    """The consumers that get or lose access to images or their keys.

    ``consumer_copy_result`` has the regions in which accounts own copies of those in ``copy_result``; None if
    there is no such result. Accounts that own all of these copies are left out of ``account_ids``.
    """

    state: str = option(choice("present", "absent"), default="present")
    copy_result: CopyResult | None = option(COPY_RESULT)
    consumer_copy_result: Mapping[str, frozenset[str]] | None = option(OWNED_COPIES)

    @property
    def present(self) -> bool:
        """Whether access is added and not removed."""
        return self.state == "present"

    def with_results(self: SharedImage) -> SharedImage:
        """Return the options without the accounts that own all copies."""
        owned, copies = self.consumer_copy_result, self.copy_result
        if not (owned and copies and self.present):
            return self
        regions = copies.images.keys() | copies.kms_key_arns.keys()
        lacking = tuple(item for item in self.account_ids if not regions <= owned.get(item, frozenset()))
        return self if lacking == self.account_ids else replace(self, account_ids=lacking)

    def owner_problems(self) -> Iterator[Problem]:
        """Refuse to leave accounts out of those that lose access."""
        if self.consumer_copy_result is not None and not self.present:
            yield Problem(
                "consumer_copy_result",
                "it cannot be combined with state: absent.",
                "List the accounts that lose access in account_ids, and remove it.",
            )


@dataclass(frozen=True, kw_only=True)
class ConsumerRoleOptions(Options):
    """The IAM role that this account assumes in the consumers' accounts."""

    consumer_role_name: str | None = option(TEXT, context={"type": "role_name"})
    external_id: str | None = option(TEXT, no_log=True, context={"type": "external_id"})

    @property
    def consumer_role(self) -> ConsumerRole | None:
        """The role, None if it is not set."""
        return ConsumerRole(self.consumer_role_name, self.external_id) if self.consumer_role_name else None


@dataclass(frozen=True, kw_only=True)
class ImageOptions(Options):
    """The images of one account, one in each region."""

    images: Mapping[str, str | None] | None = option(optional(IMAGES))
    image_id: str | None = option(IMAGE_ID)
    region: str | None = of_every_module(REGION)

    @property
    def names_images(self) -> bool:
        """Whether images are set, even if there are none in them."""
        return self.images is not None or self.image_id is not None

    @property
    def region_option(self) -> str:
        """Return the option that names the regions."""
        return "images" if self.image_id is None else "region"

    @property
    def by_region(self) -> Mapping[str, str | None]:
        """The images by region; None is a copy that does not exist yet."""
        if self.image_id is None:
            return self.images or {}
        return {self.region: self.image_id} if self.region else {}

    def image_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the images."""
        yield from _no_images(self.image_id, self.region, self.images)
        if not self.check_mode:
            for region, image_id in (self.images or {}).items():
                if image_id is None:
                    yield planned_image("images", region)


def _images_by_target(given: Any, refuse: Refuse) -> dict[tuple[str | None, str], str | None]:
    if not given:
        is_list = isinstance(given, list)
        refuse("there are no images.", "Add at least one." if is_list else "Map each region to an AMI ID.")
    if not isinstance(given, list):
        return {(None, region): image_id for region, image_id in read_images(given, refuse).items()}
    images: dict[tuple[str | None, str], str | None] = {}
    for item in given:
        names = item if isinstance(item, Mapping) else ()
        missing = [name for name in ("account_id", "region", "image_id") if name not in names]
        if missing:
            refuse(f"{render_value(item)} has no {' or '.join(missing)}.", _IMAGES_FORMS)
            continue
        account_id = read_account_id(item["account_id"], refuse)
        region = read_region(item["region"], refuse)
        if not str(item["account_id"]).strip():
            refuse(f"the account_id of {region} is empty.", _IMAGES_FORMS)
        image_id = None if item["image_id"] is None else read_image_id(item["image_id"], refuse, region)
        if images.get((account_id, region), image_id) != image_id:
            refuse(f"account {account_id} has two images in {region}.", "Remove one.")
        images[account_id, region] = image_id
    return images


@dataclass(frozen=True, kw_only=True)
class ImagesByTargetOptions(Options):
    """The images of several accounts, or of one as ``ImageOptions`` has them.

    An image may be listed twice: with the regions' images, and as its owner's own among the consumers'.
    """

    argument_rules = MappingProxyType(
        {"mutually_exclusive": [("images", "image_id")], "required_one_of": [("images", "image_id")]}
    )

    images: Mapping[tuple[str | None, str], str | None] | None = option(
        # Not a mapping only: images in several accounts are a list.
        optional(Kind({"type": "raw"}, _images_by_target))
    )
    image_id: str | None = option(IMAGE_ID)
    region: str | None = of_every_module(REGION)

    @property
    def names_images(self) -> bool:
        """Whether images are set, even if there are none in them."""
        return self.images is not None or self.image_id is not None

    @property
    def region_option(self) -> str:
        """Return the option that names the regions."""
        return "images" if self.image_id is None else "region"

    @property
    def by_target(self) -> ImagesByTarget:
        """The images by account and region; none if they are not set."""
        if self.image_id is None:
            return ImagesByTarget(self.images or {})
        return ImagesByTarget({(None, self.region): self.image_id} if self.region else {})

    def image_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the images."""
        if self.images is None:
            yield from _no_images(self.image_id, self.region, self.images)
        if not self.check_mode:
            for (_account_id, region), image_id in (self.images or {}).items():
                if image_id is None:
                    yield planned_image("images", region)


def _read_consumer_copies(
    given: Mapping[str, Any] | None, refuse: Refuse
) -> dict[tuple[str | None, str], str | None]:
    images = CONSUMER_COPIES.value(given, refuse)
    return _images_by_target([*images], refuse) if images else {}


CONSUMER_COPY_RESULT: Kind[dict[tuple[str | None, str], str | None]] = Kind(
    CONSUMER_COPIES.spec, _read_consumer_copies
)


@dataclass(frozen=True, kw_only=True)
class SharedCopiesOptions(ImagesByTargetOptions):
    """The images of several accounts, or the copies of earlier tasks.

    With ``copy_result``, ``images`` has the shared copies, without those of which ``share_result`` says that
    the sharing failed, and the copies of ``consumer_copy_result``, which accounts own.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("images", "image_id", "copy_result")],
            "required_one_of": [("images", "image_id", "copy_result")],
            "required_by": {"share_result": ("copy_result",), "consumer_copy_result": ("copy_result",)},
        }
    )

    copy_result: CopyResult | None = option(COPY_RESULT)
    share_result: ShareResult | None = option(SHARE_RESULT)
    consumer_copy_result: Mapping[tuple[str | None, str], str | None] = option(CONSUMER_COPY_RESULT)

    def with_results(self: Shared) -> Shared:
        """Return the options with the copies of earlier tasks as the images."""
        if self.copy_result is None:
            return self
        shared = self.copy_result.left_by(self.share_result)
        images: dict[tuple[str | None, str], str | None] = {
            (None, region): image_id for region, image_id in shared.images.items()
        }
        return replace(self, images={**images, **self.consumer_copy_result})

    def copy_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the result of the copies."""
        if self.copy_result and not self.images:
            yield Problem(
                "copy_result",
                "it has no image that is shared.",
                "Its failures, and those of the result of ami_share, say why.",
            )


def _no_images(
    image_id: str | None, region: str | None, images: Mapping[Any, Any] | None
) -> Iterator[Problem]:
    if image_id is not None and not region:
        yield Problem("image_id", "the region of the image is missing.", "Set region, or use images.")
    elif image_id is None and not images:
        yield Problem("images", "there are no images.", "Map each region to an AMI ID.")


def planned_image(name: str, region: str) -> Problem:
    """Return the problem with an image that does not exist, outside check mode."""
    return Problem(
        name,
        f"the image in {region} is null: the copy does not exist yet.",
        "Copy the image first, and use the images that the copy task returns.",
    )


@dataclass(frozen=True, kw_only=True)
class ProgressOptions(Options):
    """The file for lines of progress, which the action plugin sets and displays."""

    progress_path: str | None = option(PATH)


def _instance_type(given: str | None, refuse: Refuse) -> str | None:
    if given and not _INSTANCE_TYPE.fullmatch(given):
        refuse(f"{render_value(given)} is not an instance type.", "Use one such as t3.micro.")
    return given or None


INSTANCE_TYPE: Kind[str | None] = Kind({"type": "str"}, _instance_type)

_SUBNET_ID = re.compile(r"subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SECURITY_GROUP_ID = re.compile(r"sg-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def _resource_id(what: str, pattern: re.Pattern[str]) -> Callable[[Any, Refuse], str]:
    def value(given: Any, refuse: Refuse) -> str:
        if not isinstance(given, str) or not pattern.fullmatch(given):
            example = f"{pattern.pattern.partition('-')[0]}-0123456789abcdef0"
            refuse(f"{render_value(given)} is not a valid {what} ID.", f"Use an ID such as {example}.")
        return str(given)

    return value


_subnet_id = _resource_id("subnet", _SUBNET_ID)
_group_id = _resource_id("security group", _SECURITY_GROUP_ID)


def _by_region_and_account(read: Callable[[Any, Refuse], Any]) -> Kind[dict[str, Any]]:
    """Region to a value, or to a mapping of account to value."""

    def value(given: Mapping[Any, Any], refuse: Refuse) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for text, item in given.items():
            region = read_region(text, refuse)
            if isinstance(item, Mapping):
                accounts = {read_account_id(account_id, refuse): one for account_id, one in item.items()}
                found[region] = {account_id: read(one, refuse) for account_id, one in accounts.items()}
            else:
                found[region] = read(item, refuse)
        return found

    return Kind({"type": "dict", "default": {}}, value)


def _launch_tags(given: Any, refuse: Refuse) -> dict[str, str]:
    """The tags of launches, beside which a probe has one of its own."""
    found = tags().value(given, refuse)
    for problem, remedy in tag_count_problems({**found, PROBE_TAG: ""}):
        refuse(problem, remedy)
    return found


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(Options):
    """Where and how instances are launched."""

    subnet_ids: Mapping[str, Any] = option(_by_region_and_account(_subnet_id))
    security_group_ids: Mapping[str, Any] = option(
        _by_region_and_account(
            lambda given, refuse: tuple(_group_id(item, refuse) for item in as_list(given))
        )
    )
    launch_tags: Mapping[str, str] = option(Kind(tags().spec, _launch_tags))
    instance_type: str | None = option(INSTANCE_TYPE)

    @property
    def network(self) -> Network:
        """The subnets and security groups of launches."""
        return Network(self.subnet_ids, self.security_group_ids)


def _process_count(given: int, refuse: Refuse) -> int:
    if given < 1:
        refuse(f"must be at least 1 (got {given}).", "Use 1 for a single process.")
    return given


@dataclass(frozen=True, kw_only=True)
class ProcessesOptions(Options):
    """In how many processes a module makes thousands of calls to read."""

    max_processes: int = option(Kind(NUMBER.spec, _process_count), default=8)


@dataclass(frozen=True, kw_only=True)
class ParameterOptions(Options):
    """The SSM parameter by which accounts launch the images."""

    parameter: str | None = option(Kind(TEXT.spec, lambda given, _refuse: (given or "").strip() or None))

    def parameter_problems(self, regions: Iterable[str]) -> Iterator[Problem]:
        """Yield what is wrong with its name in these regions."""
        problem, remedy = name_problem(self.parameter, regions) if self.parameter else ("", "")
        if problem:
            yield Problem("parameter", problem, remedy)


# What an earlier step was given, which need not be valid.
GIVEN_TEXTS: Kind[tuple[str, ...]] = Kind(TEXTS.spec, lambda given, _refuse: tuple(given or ()))

# Files of an empty path would be written to the root of the file system.
_PLACE: Kind[str | None] = Kind(PATH.spec, lambda given, _refuse: given or None)


def _account_names(given: Mapping[str, str] | None, _refuse: Refuse) -> dict[str, str]:
    return {account_id: name for account_id, name in (given or {}).items() if name}


_ACCOUNT_NAMES = Kind(
    {"type": "dict", "default": {}, "context": {"keys": "account_id", "elements": "str"}}, _account_names
)


def parameter_problem(value: str, region: str | None = None) -> tuple[str, str] | None:
    """Return the problem with the name or the ARN of an SSM parameter to read, in this region."""
    found = _PARAMETER.fullmatch(value)
    if not found:
        return (
            f"{render_value(value)} is not the name of a parameter.",
            "Use a name such as /golden/web, or the ARN of a parameter.",
        )
    if region and found["region"] not in (None, region):
        return (
            f"{value} is not in {region}: its ARN names {found['region']}.",
            "Use a parameter of the source region, or set that region.",
        )
    return None


def _filters(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, tuple[str, ...]]:
    """Return the values of each filter of DescribeImages as text.

    A filter without a value is an error, and a value that YAML may have read from another text: 1.10 would
    select the image of version 1.1, and an ``owner-id`` of 1402434204 no image.
    """
    return {
        str(name): tuple(_filter_values(str(name), value, refuse)) for name, value in (given or {}).items()
    }


def _filter_values(name: str, given: Any, refuse: Refuse) -> Iterator[str]:
    values = [] if given is None else as_list(given)
    if not values:
        refuse(f"'{name}' has no value.", "Set a text or a list, or remove it.")
    reads = owner if name == "owner-id" else text_of
    for value in values:
        # AWS expects true and false in lower case. As a tag, a boolean may have been on or yes.
        if isinstance(value, bool) and not name.startswith(("tag:", "tag-key")):
            yield str(value).lower()
            continue
        try:
            yield reads(value)
        except Unreadable as unreadable:
            refuse(f"'{name}': {unreadable.problem}", unreadable.remedy)


FILTERS: Kind[dict[str, tuple[str, ...]]] = Kind({"type": "dict"}, _filters)

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


# The longest name that the file of a report can have.
_LONGEST_NAME = 255


def is_report_folder(uri: str) -> bool:
    """Whether it is the URI of a bucket or a folder, with room for the names of a report's files."""
    return is_s3_folder(uri, _LONGEST_NAME)


def _report_s3_uri(given: str | None, refuse: Refuse) -> str | None:
    if given and not is_report_folder(given):
        refuse(
            f"{render_value(given)} is not a valid S3 URI of a folder.",
            "Use a URI such as s3://bucket/folder/.",
        )
    return given or None


def _bucket_owner(given: str | None, refuse: Refuse) -> str | None:
    if given and not VALID_ACCOUNT_ID.fullmatch(given):
        refuse(
            f"{render_value(given)} is not a valid account ID.",
            'Use 12 digits in quotes, such as "012345678901".',
        )
    return given or None


def _calls_per_second(given: float | None, refuse: Refuse) -> float | None:
    # Also not a number.
    if given is not None and not 0 < given < inf:
        refuse(f"must be greater than 0 (got {given:g}).", "Use a number such as 5 or 0.5, or do not set it.")
    return given


@dataclass(frozen=True, kw_only=True)
class RateOptions(Options):
    """The most calls per second of a module that makes thousands."""

    max_calls_per_second: float | None = option(Kind({"type": "float"}, _calls_per_second))


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """The report that a module makes: written, uploaded, returned.

    ``report_s3_bucket_owner`` is None for the account of the credentials. With ``return_report``, the report
    is returned in place of the values that it has, too.
    """

    report_path: str | None = option(_PLACE)
    report_dir: str | None = option(_PLACE)
    account_names: Mapping[str, str] = option(_ACCOUNT_NAMES)
    report_s3_uri: str | None = option(Kind(TEXT.spec, _report_s3_uri))
    report_s3_bucket_owner: str | None = option(Kind(TEXT.spec, _bucket_owner))
    return_report: bool = option(FLAG)

    @property
    def folder(self) -> str | None:
        """Return the directory that this report is written to."""
        return self.report_dir

    @property
    def asks_for_report(self) -> bool:
        """Whether the module makes a report."""
        return bool(self.report_path or self.report_dir or self.return_report)

    def report_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the report's options, without a look at files and buckets."""
        if self.report_s3_uri and not (self.report_path or self.report_dir):
            yield Problem(
                "report_s3_uri",
                "no report is written that could be uploaded, because report_dir is not set.",
                "Set report_dir to a directory for the local report. In a container it can be below /tmp.",
            )


@dataclass(frozen=True, kw_only=True)
class TombstoneOptions(Options):
    """Where tombstones are. ``tombstone_s3_bucket_owner`` is None for the account of the credentials."""

    tombstone_path: str | None = option(PATH)
    tombstone_s3_uri: str | None = option(TEXT)
    tombstone_s3_bucket_owner: str | None = option(ACCOUNT_ID)
    tombstone_ssm_path: str | None = option(TEXT)

    def tombstone_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the S3 URI and the parameter path, without a call to AWS."""
        uri, ssm_path = self.tombstone_s3_uri, self.tombstone_ssm_path
        if uri and not is_s3_folder(uri, len(f"{_TOMBSTONE}/2026-11-24T12:00:00Z.json")):
            yield Problem(
                "tombstone_s3_uri",
                f"{render_value(uri)} is not a valid S3 URI.",
                "Use a URI such as s3://bucket/folder, of at most 900 bytes.",
            )
        # Without the last /, as the name of each parameter has it; "/" alone is no path.
        path = ssm_path[:-1] if ssm_path and ssm_path.endswith("/") else ssm_path
        if ssm_path and (not path or name_problem(f"{path}{_TOMBSTONE}", [_LONGEST_REGION])[0]):
            yield Problem(
                "tombstone_ssm_path",
                f"{render_value(ssm_path)} is not a valid parameter path.",
                "Use a path such as /golden/retired: letters, digits and . - _ /, a leading /, at most 13 "
                "levels and 900 characters, not beginning with aws or ssm.",
            )
