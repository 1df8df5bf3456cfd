# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's Parameter Store and EC2 in memory, and runs of ``ami_publish`` on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import Image, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import TargetPlan
from ansible_collections.golden.images.plugins.module_utils._publish.flow import FLOW
from botocore.validate import validate_parameters

from tests.unit.examples import CONSUMER, MARK, OWNER, SOURCE_ID, SOURCE_REGION, source_image
from tests.unit.flow_run import FlowRun
from tests.unit.kms_grant.kms_in_memory import model_of, refused
from tests.unit.publish.ram_in_memory import Ram

REGION = "eu-west-1"
NEW, OLD = "ami-0000000000000000a", "ami-0000000000000000b"
NAME, TEMPLATE, TEMPLATE_ID = "/golden/web", "web", "lt-0123456789abcdef0"
IDS = {TEMPLATE: TEMPLATE_ID, "db": "lt-0123456789abcdef1"}
LABEL = f"source-{SOURCE_ID}"
SHARED = Sharing(account_ids=frozenset({CONSUMER}))


def image(image_id: str = NEW, **changes: Any) -> Image:
    """A copy of the source as its owner sees it."""
    return source_image(**{"image_id": image_id, "architecture": "x86_64", "tags": MARK, **changes})


@dataclass(frozen=True)
class Version:
    """A version of a parameter."""

    number: int = 1
    value: str = OLD
    labels: tuple[str, ...] = ()
    type: str = "String"
    data_type: str = "aws:ec2:image"
    tier: str = "Standard"

    def listed(self) -> dict[str, Any]:
        """The version as GetParameterHistory returns it."""
        return {
            "DataType": self.data_type,
            "Labels": list(self.labels),
            "LastModifiedDate": datetime(2026, 11, 24, tzinfo=UTC),
            "Name": NAME,
            "Tier": self.tier,
            "Type": self.type,
            "Value": self.value,
            "Version": self.number,
        }


@dataclass(frozen=True)
class Parameter:
    """The parameter, oldest version first, and its tags."""

    versions: tuple[Version, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def version(number: int = 1, value: str = OLD, *labels: str, **changes: Any) -> Version:
    """A version of the parameter."""
    return Version(number, value, labels, **changes)


def parameter(*versions: Version, **tags: str) -> Parameter:
    """The parameter with these versions, by default one that names the old image."""
    return Parameter(versions or (version(),), tags)


def many(*labels: str) -> Parameter:
    """A parameter with the maximum number of versions; the oldest has these labels."""
    return parameter(version(3, OLD, *labels), *(version(number) for number in range(4, 103)))


# A launch template: the data of its versions by number, of which the first is the default.
Template = dict[int, dict[str, Any]]


def template(image_id: str | None = OLD, latest: Mapping[str, Any] | None = None, **data: Any) -> Template:
    """A launch template whose default is version 1, and whose version 2 has the data ``latest``."""
    versions: Template = {1: {**({"ImageId": image_id} if image_id else {}), **data}}
    return versions if latest is None else {**versions, 2: dict(latest)}


@dataclass(frozen=True)
class Keys:
    """Credentials, which are the account itself."""

    account: Account

    def get_frozen_credentials(self) -> Account:
        return self.account


@dataclass(frozen=True)
class SharedClients:
    """Clients of the account whose credentials they find at each use."""

    credentials: Any

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Clients need not be made."""

    def ec2(self, _region: str) -> Any:
        return self.credentials.get_frozen_credentials()

    def ssm(self, _region: str) -> Any:
        return self.credentials.get_frozen_credentials()

    def client(self, service: str, region: str) -> Ram:
        found: Ram = self.credentials.get_frozen_credentials().client(service, region)
        return found

    def without_retries(self) -> SharedClients:
        return self


@dataclass
class Account:
    """What an account has in the only region.

    ``image`` is what it sees of the new image, ``named`` are other images by ID, ``launch`` is who may
    launch the new image. ``types`` are items of DescribeInstanceTypes by name. ``encrypts`` is whether EBS
    volumes are encrypted by default, None if the account may not read that. ``source`` is the source of
    planned copies; it is described in all regions. ``refuse`` maps operations to error codes. ``answers``
    are those to the next calls of an operation: an error code, an answer that is given without a change, or
    None. ``consumer`` is the account whose roles are assumed, and ``ram`` has the resource shares. ``calls``
    are the called operations, in their order, and ``requests`` the parameters of the last call of each.
    """

    image: Image | None = field(default_factory=image)
    parameter: Parameter | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)
    named: Mapping[str, Image] = field(default_factory=dict)
    launch: Sharing = SHARED
    types: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    encrypts: bool | None = None
    source: Image | None = None
    refuse: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, list[Any]] = field(default_factory=dict)
    consumer: Account | None = None
    ram: Ram = field(default_factory=Ram)
    calls: list[str] = field(default_factory=list)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock, compare=False)

    default_region = REGION

    def partition_of(self, region: str) -> str:
        return "aws-cn" if region.startswith("cn-") else "aws"

    def is_known(self, _region: str) -> bool:
        return True

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Clients need not be made."""

    def sts(self, _region: str) -> Any:
        arn = f"arn:aws:iam::{OWNER}:user/build"
        return SimpleNamespace(get_caller_identity=lambda: {"Account": OWNER, "Arn": arn})

    def credentials(self) -> Keys:
        return Keys(self)

    def role_credentials(self, role_arn: str, _external_id: str | None, _region: str) -> Keys:
        assert role_arn == f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
        assert self.consumer is not None
        return Keys(self.consumer)

    def with_credentials(self, credentials: Any) -> SharedClients:
        return SharedClients(credentials)

    def ec2(self, _region: str) -> Any:
        return self

    def ssm(self, _region: str) -> Any:
        return self

    def client(self, service: str, _region: str) -> Ram:
        assert service == "ram"
        return self.ram

    def without_retries(self) -> Account:
        return self

    def get_paginator(self, name: str) -> Any:
        pages: dict[str, tuple[str, str, str, Callable[[Mapping[str, Any]], list[Any]]]] = {
            "describe_images": ("ec2", "DescribeImages", "Images", self._images),
            "describe_instance_types": ("ec2", "DescribeInstanceTypes", "InstanceTypes", self._types),
            "describe_launch_template_versions": (
                "ec2",
                "DescribeLaunchTemplateVersions",
                "LaunchTemplateVersions",
                self._template_versions,
            ),
            "get_parameter_history": ("ssm", "GetParameterHistory", "Parameters", self._history),
        }
        service, operation, member, items = pages[name]

        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            del parameters["PaginationConfig"]
            answer = self._called(service, operation, parameters)
            # Each item is on a page of its own.
            yield from [answer] if answer is not None else [{member: [one]} for one in items(parameters)]

        return SimpleNamespace(paginate=paginate)

    def describe_images(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["ImageIds"] == [SOURCE_ID]
        self._called("ec2", "DescribeImages", parameters)
        return {"Images": [described(self.source)] if self.source else []}

    def describe_image_attribute(self, **parameters: Any) -> dict[str, Any]:
        self._called("ec2", "DescribeImageAttribute", parameters)
        entries = [
            *({"UserId": one} for one in self.launch.account_ids),
            *({"OrganizationArn": one} for one in self.launch.org_arns),
            *({"OrganizationalUnitArn": one} for one in self.launch.org_unit_arns),
            *([{"Group": "all"}] if self.launch.public else []),
        ]
        return {"LaunchPermissions": entries}

    def get_ebs_encryption_by_default(self) -> dict[str, Any]:
        self._called("ec2", "GetEbsEncryptionByDefault", {})
        if self.encrypts is None:
            raise refused("UnauthorizedOperation", "GetEbsEncryptionByDefault")
        return {"EbsEncryptionByDefault": self.encrypts}

    def list_tags_for_resource(self, **parameters: Any) -> dict[str, Any]:
        answer = self._called("ssm", "ListTagsForResource", parameters)
        return {"TagList": tag_list(self._held().tags)} if answer is None else answer

    def get_parameter(self, **parameters: Any) -> dict[str, Any]:
        answer = self._called("ssm", "GetParameter", parameters)
        if answer is None and self.parameter is None:
            raise refused("ParameterNotFound", "GetParameter")
        return {"Parameter": shown(self._held().versions[-1])} if answer is None else answer

    def put_parameter(self, **parameters: Any) -> dict[str, Any]:
        """Add a version. AWS deletes the oldest one of 100, unless it has a label."""
        if (answer := self._called("ssm", "PutParameter", parameters)) is not None:
            return answer
        held = self.parameter or Parameter((), as_tags(parameters.get("Tags", ())))
        if self.parameter and "Overwrite" not in parameters:
            raise refused("ParameterAlreadyExists", "PutParameter")
        assert not (len(held.versions) == 100 and held.versions[0].labels)
        number = held.versions[-1].number + 1 if held.versions else 1
        tier = parameters.get("Tier", "Standard").replace("Intelligent-Tiering", "Standard")
        assert tier == "Advanced" or not held.versions or held.versions[-1].tier == "Standard"
        made = Version(number, parameters["Value"], tier=tier)
        self.parameter = replace(held, versions=(*held.versions, made)[-100:])
        return {"Version": number}

    def label_parameter_version(self, **parameters: Any) -> dict[str, Any]:
        answer = self._called("ssm", "LabelParameterVersion", parameters)
        if answer is None:
            self._label(parameters["Labels"], parameters["ParameterVersion"])
        return {"ParameterVersion": parameters["ParameterVersion"]} if answer is None else answer

    def unlabel_parameter_version(self, **parameters: Any) -> dict[str, Any]:
        self._called("ssm", "UnlabelParameterVersion", parameters)
        self._label(parameters["Labels"], 0)
        return {"RemovedLabels": parameters["Labels"]}

    def add_tags_to_resource(self, **parameters: Any) -> dict[str, Any]:
        self._called("ssm", "AddTagsToResource", parameters)
        held = self._held()
        self.parameter = replace(held, tags={**held.tags, **as_tags(parameters["Tags"])})
        return {}

    def create_launch_template_version(self, **parameters: Any) -> dict[str, Any]:
        """Add a version (botocore shape CreateLaunchTemplateVersionRequest, SourceVersion: no snapshots)."""
        if (answer := self._called("ec2", "CreateLaunchTemplateVersion", parameters)) is not None:
            return answer
        name, versions = self._template(parameters["LaunchTemplateId"])
        base = versions[int(parameters["SourceVersion"])]
        inherited = [
            {**one, "Ebs": {key: value for key, value in one["Ebs"].items() if key != "SnapshotId"}}
            if "Ebs" in one
            else one
            for one in base.get("BlockDeviceMappings", ())
        ]
        disks = {"BlockDeviceMappings": inherited} if inherited else {}
        number = max(versions) + 1
        made = {number: {**base, **disks, **parameters["LaunchTemplateData"]}}
        self.templates = {**self.templates, name: {**versions, **made}}
        return {"LaunchTemplateVersion": {"VersionNumber": number}}

    def modify_launch_template(self, **parameters: Any) -> dict[str, Any]:
        if (answer := self._called("ec2", "ModifyLaunchTemplate", parameters)) is not None:
            return answer
        name, versions = self._template(parameters["LaunchTemplateId"])
        default = int(parameters["DefaultVersion"])
        self.templates = {**self.templates, name: {default: versions[default], **versions}}
        return {}

    def _images(self, parameters: Mapping[str, Any]) -> list[Any]:
        ((asked,),) = ([one["Values"]] for one in parameters["Filters"])
        assert parameters["IncludeDisabled"]
        assert parameters["IncludeDeprecated"]
        images = {**({self.image.image_id: self.image} if self.image else {}), **self.named}
        return [described(images[one]) for one in asked if one in images]

    def _history(self, _parameters: Mapping[str, Any]) -> list[Any]:
        if self.parameter is None:
            raise refused("ParameterNotFound", "GetParameterHistory")
        return [one.listed() for one in reversed(self.parameter.versions)]

    def _types(self, parameters: Mapping[str, Any]) -> list[Any]:
        asked = [value for one in parameters["Filters"] for value in one["Values"]]
        found = self.types.items()
        return [{"InstanceType": name, **one} for name, one in found if not asked or name in asked]

    def _template_versions(self, parameters: Mapping[str, Any]) -> list[Any]:
        assert parameters["Versions"] == ["$Default", "$Latest"]
        name, template_id = parameters.get("LaunchTemplateName"), parameters.get("LaunchTemplateId")
        asked = name or template_id
        # An ID is no name, and a name no ID.
        found = [one for one in self.templates if not asked or one == name or IDS[one] == template_id]
        if asked and not found:
            raise refused("InvalidLaunchTemplateName.NotFoundException", "DescribeLaunchTemplateVersions")
        return [
            {
                "DefaultVersion": number == next(iter(versions)),
                "LaunchTemplateData": versions[number],
                "LaunchTemplateId": IDS[name],
                "LaunchTemplateName": name,
                "VersionNumber": number,
            }
            for name in found
            for versions in [self.templates[name]]
            for number in sorted({next(iter(versions)), max(versions)})
        ]

    def _template(self, template_id: str) -> tuple[str, Template]:
        return next(one for one in self.templates.items() if IDS[one[0]] == template_id)

    def _held(self) -> Parameter:
        assert self.parameter is not None
        return self.parameter

    def _label(self, labels: Collection[str], number: int) -> None:
        """Move labels to the version of this number."""
        held = self._held()
        versions = (
            replace(
                one,
                labels=(
                    *(label for label in one.labels if label not in labels),
                    *(labels if one.number == number else ()),
                ),
            )
            for one in held.versions
        )
        self.parameter = replace(held, versions=tuple(versions))

    def _called(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Record a call, and return the answer that was given for it, if any."""
        validate_parameters(parameters, model_of(service).operation_model(operation).input_shape)
        with self.lock:
            self.calls.append(operation)
            self.requests[operation] = parameters
            given = self.answers.get(operation)
            answer = given.pop(0) if given else None
        if code := self.refuse.get(operation) or (answer if isinstance(answer, str) else ""):
            raise refused(code, operation)
        return answer


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def as_tags(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Listed tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in listed}


def shown(one: Version) -> dict[str, Any]:
    """A version as GetParameter returns it."""
    return {"Name": NAME, "Type": one.type, "Value": one.value, "Version": one.number}


def described(one: Image) -> dict[str, Any]:
    """An image as DescribeImages returns it."""
    specification = {
        "SupportedInstanceTypes": [{"InstanceType": name} for name in one.supported_types],
        "UnsupportedInstanceTypes": [{"InstanceType": name} for name in one.unsupported_types],
    }
    item = {
        "Architecture": one.architecture,
        "BlockDeviceMappings": [
            {
                "DeviceName": device.name,
                "Ebs": {
                    "Encrypted": device.encrypted,
                    **({"SnapshotId": device.snapshot_id} if device.snapshot_id else {}),
                    **({"VolumeSize": device.size_gib} if device.size_gib else {}),
                },
            }
            for device in one.devices
        ],
        "BootMode": one.boot_mode,
        "CreationDate": one.creation_date,
        "EnaSupport": one.ena_support,
        "ImageId": one.image_id,
        "ImdsSupport": one.imds_support,
        "InstanceTypeSpecification": {key: value for key, value in specification.items() if value},
        "OwnerId": one.owner_id,
        "Platform": "windows" if one.is_windows else None,
        "PlatformDetails": one.platform,
        "RootDeviceName": one.root_device,
        "RootDeviceType": one.root_device_type,
        "SourceImageId": one.source_image_id,
        "SourceImageRegion": one.source_region,
        "State": one.state,
        "Tags": tag_list(one.tags),
        "TpmSupport": one.tpm_support,
        "VirtualizationType": one.virtualization,
    }
    return {name: value for name, value in item.items() if value not in (None, "", {})}


PLANNED: dict[str, Any] = {"images": {REGION: None}}
BACK: dict[str, Any] = {"images": None, "regions": [REGION], "source_image_id": SOURCE_ID}


def options(**changes: Any) -> dict[str, Any]:
    """Options that publish the new image in the only region, whatever the age of its source."""
    return {"parameter": NAME, "images": {REGION: NEW}, "publish_older": True, **changes}


def account(**content: Any) -> Account:
    """An account with the new image, shared, and without parameter and templates."""
    return Account(**content)


def changed(there: Account, **content: Any) -> Account:
    """The account with other content."""
    return replace(there, calls=[], **content)


def run_on(given: Mapping[str, Any], there: Account, check_mode: bool = True) -> FlowRun:
    """A run, by default in check mode, in which images can be planned."""
    named = {"source_region": SOURCE_REGION} if there.source else {}
    return FlowRun(FLOW, {**named, **given}, there, check_mode)


def plan_of(given: Mapping[str, Any], there: Account) -> TargetPlan:
    """The plan of the only target."""
    (target,) = run_on(given, there).plan.targets
    return target


def operations(target: TargetPlan) -> list[str]:
    """The names of the planned calls."""
    return [action.operation for action in target.actions]


def codes(targets: Collection[TargetPlan]) -> list[str]:
    """The error codes of the refusals."""
    return [refusal.error_code for target in targets for refusal in target.refusals]
