# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that modules share: their values, and refusals of values that are not valid."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import (
    ConsumerRole,
    Network,
    Sharing,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils._option import (
    REGIONS,
    TEXTS,
    Options,
    Problem,
    option,
    tags,
)
from ansible_collections.golden.images.plugins.module_utils._option_groups import (
    FILTERS,
    ConsumerOptions,
    ConsumerRoleOptions,
    ImageOptions,
    ImagesByTargetOptions,
    LaunchOptions,
    RateOptions,
    TombstoneOptions,
    is_s3_folder,
    parameter_problem,
)

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, UNIT, as_read

Read = TypeVar("Read", bound=Options)


@dataclass(frozen=True, kw_only=True)
class OfImages(ImageOptions, ConsumerOptions):
    def problems(self) -> Iterator[Problem]:
        return self.image_problems()


@dataclass(frozen=True, kw_only=True)
class OfTargets(ImagesByTargetOptions):
    def problems(self) -> Iterator[Problem]:
        return self.image_problems()


@dataclass(frozen=True, kw_only=True)
class OfTombstones(TombstoneOptions):
    def problems(self) -> Iterator[Problem]:
        return self.tombstone_problems()


@dataclass(frozen=True, kw_only=True)
class OfKinds(Options):
    regions: tuple[str, ...] = option(REGIONS)
    texts: tuple[str, ...] = option(TEXTS)
    filters: Mapping[str, tuple[str, ...]] = option(FILTERS)
    tags: Mapping[str, str] = option(tags())


def read(options: type[Read], check_mode: bool = False, **given: Any) -> Read:
    """The options of a module that was given these."""
    return options.read(as_read(options.argument_spec(), given), check_mode)


def refusals(options: type[Options], **given: Any) -> list[tuple[str, str, str]]:
    """Option, message and remedy of every failure."""
    with pytest.raises(ValidationError) as refused:
        read(options, **given)
    failures = refused.value.failures
    assert {failure.error_code for failure in failures} == {"invalid_option"}
    return [(failure.action, failure.message, failure.remedy) for failure in failures]


def test_consumers() -> None:
    given = {"account_ids": [CONSUMER, "222222222222"], "org_arns": [ORG], "org_unit_arns": [UNIT]}
    assert read(ConsumerOptions, **given).consumers == Sharing(
        frozenset({CONSUMER, "222222222222"}), frozenset({ORG}), frozenset({UNIT})
    )


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"account_ids": [f" {CONSUMER}\n"]}, id="surrounding space"),
        pytest.param({"account_ids": [CONSUMER, CONSUMER]}, id="named twice"),
    ],
)
def test_space_and_duplicates_are_dropped(params: dict[str, Any]) -> None:
    assert read(ConsumerOptions, **params).consumers == Sharing(frozenset({CONSUMER}))


@pytest.mark.parametrize(
    "org",
    [
        ORG,
        "arn:aws-us-gov:organizations::111122223333:organization/o-a1b2c3d4e5",
        "arn:aws-cn:organizations::111122223333:organization/o-" + "a" * 32,
    ],
)
def test_organizations_of_every_partition(org: str) -> None:
    assert read(ConsumerOptions, org_arns=[org]).consumers.org_arns == {org}


def test_an_account_id_can_be_a_number_of_12_digits() -> None:
    assert read(ConsumerOptions, account_ids=[222222222222]).account_ids == ("222222222222",)


def test_an_account_id_whose_leading_zero_yaml_lost_is_refused_with_a_quoted_example() -> None:
    ((option, message, remedy),) = refusals(ConsumerOptions, account_ids=[12345678901])
    assert option == "account_ids"
    assert "12345678901 is a number" in message
    assert "a leading zero" in message
    assert '"012345678901"' in remedy


@pytest.mark.parametrize(
    ("params", "option", "named"),
    [
        pytest.param({"account_ids": ["12345678901"]}, "account_ids", "'12345678901'", id="11 digits"),
        pytest.param({"account_ids": ["1234567890123"]}, "account_ids", "'1234567890123'", id="13 digits"),
        pytest.param({"account_ids": ["1111-2222-3333"]}, "account_ids", "'1111-2222-3333'", id="dashes"),
        pytest.param({"account_ids": ["all"]}, "account_ids", "'all'", id="a group"),
        pytest.param({"account_ids": ["١١١١٢٢٢٢٣٣٣٣"]}, "account_ids", "'١١١١٢٢٢٢٣٣٣٣'", id="other digits"),
        pytest.param({"account_ids": [1.5]}, "account_ids", "1.5", id="a fraction"),
        pytest.param(
            {"org_arns": ["o-a1b2c3d4e5"]}, "org_arns", "'o-a1b2c3d4e5'", id="an ID instead of an ARN"
        ),
        pytest.param({"org_arns": [UNIT]}, "org_arns", UNIT, id="a unit among organizations"),
        pytest.param({"org_unit_arns": [ORG]}, "org_unit_arns", ORG, id="an organization among units"),
        pytest.param({"org_unit_arns": [UNIT + "/x"]}, "org_unit_arns", UNIT + "/x", id="trailing text"),
        pytest.param(
            {"org_unit_arns": ["ou-ab12-11111111"]}, "org_unit_arns", "'ou-ab12-11111111'", id="unit id"
        ),
    ],
)
def test_consumers_that_are_refused(params: dict[str, Any], option: str, named: str) -> None:
    ((found, message, remedy),) = refusals(ConsumerOptions, **params)
    assert found == option
    assert named in message
    assert "Use an ARN such as " in remedy or '"012345678901"' in remedy


def test_one_refusal_has_all_failures() -> None:
    unreadable = refusals(ConsumerOptions, account_ids=[1, "2"], org_arns=[1.1])
    assert [option for option, _message, _remedy in unreadable] == ["account_ids", "account_ids", "org_arns"]
    given = {"org_arns": ["x"], "org_unit_arns": ["y"], "image_id": "z"}
    assert [option for option, _message, _remedy in refusals(OfImages, **given)] == [
        "org_arns",
        "org_unit_arns",
        "image_id",
        "image_id",
    ]


OLD_ID = "ami-1a2b3c4d"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"image_id": SOURCE_ID, "region": "eu-west-1"}, {"eu-west-1": SOURCE_ID}, id="one"),
        pytest.param(
            {"images": {"eu-west-1": SOURCE_ID, "us-east-1": OLD_ID}},
            {"eu-west-1": SOURCE_ID, "us-east-1": OLD_ID},
            id="by region",
        ),
        pytest.param(
            {"images": {"eu-west-1": SOURCE_ID}, "region": "us-west-2"},
            {"eu-west-1": SOURCE_ID},
            id="the connection's region adds none",
        ),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_images(params: dict[str, Any], expected: dict[str, str], check_mode: bool) -> None:
    assert read(OfImages, check_mode, **params).by_region == expected


def test_in_check_mode_a_copy_need_not_exist_yet() -> None:
    images = {"eu-west-1": None, "us-east-1": OLD_ID}
    assert read(OfImages, True, images=images).by_region == images


@pytest.mark.parametrize(
    ("params", "option", "text"),
    [
        pytest.param(
            {"images": {"eu-west-1": None, "us-east-1": OLD_ID}}, "images", "eu-west-1 is null", id="null"
        ),
        pytest.param(
            {"images": {"eu-west-1": "ami-xyz"}},
            "images",
            "eu-west-1: 'ami-xyz' is not a valid AMI ID",
            id="bad id",
        ),
        pytest.param({"images": {"eu-west-1": 5}}, "images", "5 is not a valid AMI ID", id="a number"),
        pytest.param({"images": {"eu-west-1": ""}}, "images", "eu-west-1: '' is not a valid", id="empty"),
        pytest.param(
            {"images": {"eu-west-1": SOURCE_ID + "0"}}, "images", "not a valid AMI ID", id="long id"
        ),
        pytest.param({"images": {}}, "images", "there are no images", id="empty"),
        pytest.param(
            {"image_id": SOURCE_ID}, "image_id", "the region of the image is missing", id="no region"
        ),
        pytest.param(
            {"image_id": "snap-0123456789abcdef0", "region": "eu-west-1"},
            "image_id",
            "not a valid AMI ID",
            id="snapshot",
        ),
        pytest.param({"image_id": "", "region": "eu-west-1"}, "images", "there are no images", id="blank"),
    ],
)
def test_images_that_are_refused(params: dict[str, Any], option: str, text: str) -> None:
    found, message, remedy = refusals(OfImages, **params)[0]
    assert found == option
    assert text in message
    assert remedy


def test_a_list_of_texts() -> None:
    assert read(OfKinds, texts=["a", " b ", "a"]).texts == ("a", "b")
    assert read(OfKinds, texts=None).texts == ()


@pytest.mark.parametrize("option", ["account_ids", "org_arns", "org_unit_arns"])
@pytest.mark.parametrize("item", [None, "", " "])
def test_an_empty_consumer(option: str, item: str | None) -> None:
    assert refusals(ConsumerOptions, **{option: [item]}) == [
        (option, f"{option}: item 1 is empty.", "Remove it; only the whole list can be empty.")
    ]


def test_an_empty_item_is_refused_once() -> None:
    with pytest.raises(ValidationError) as refused:
        OfKinds.read({"texts": ["a", "  ", ""]}, False)
    assert [(failure.message, failure.remedy) for failure in refused.value.failures] == [
        ("texts: item 2 is empty.", "Remove it; only the whole list can be empty.")
    ]


def test_a_long_value_is_cut() -> None:
    ((_option, message, _remedy),) = refusals(ConsumerOptions, account_ids=["x" * 5000])
    assert len(message) < 450
    assert message.startswith("account_ids: item 1: 'xxx")
    assert message.endswith("xxx'\u2026 (5,000 characters) is not a valid account ID.")


def test_a_tag_with_a_value_that_is_not_text() -> None:
    ((option, problem, _remedy),) = refusals(OfKinds, tags={"a": {"b": 1}, "c": 1})
    assert (option, problem) == ("tags", "tags: 'a': must be text (got {\"b\": 1}).")


def test_a_tag_with_a_key_that_yaml_may_have_changed() -> None:
    ((option, problem, _remedy),) = refusals(OfKinds, tags={1.1: "x", 7: "y"})
    assert (option, problem.startswith("tags: a key: YAML reads this as a number, 1.1")) == ("tags", True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, {}, id="not set"),
        pytest.param({"name": "golden-*"}, {"name": ("golden-*",)}, id="a text"),
        pytest.param({"name": ["a", " b "]}, {"name": ("a", "b")}, id="several"),
        pytest.param({"tag:build": [1, "1.10"]}, {"tag:build": ("1", "1.10")}, id="numbers"),
        pytest.param({"ena-support": True}, {"ena-support": ("true",)}, id="a boolean, in lower case"),
        pytest.param({"is-public": [False]}, {"is-public": ("false",)}, id="a boolean in a list"),
        pytest.param({"tag:empty": ""}, {"tag:empty": ("",)}, id="an empty tag"),
        pytest.param(
            {"owner-id": [222222222222, "012345671234", "1112*"]},
            {"owner-id": ("222222222222", "012345671234", "1112*")},
            id="owners",
        ),
        pytest.param({"tag:id": 1402434204}, {"tag:id": ("1402434204",)}, id="another number"),
    ],
)
def test_filters(given: Any, expected: Mapping[str, tuple[str, ...]]) -> None:
    assert read(OfKinds, filters=given).filters == expected


@pytest.mark.parametrize(
    ("given", "part"),
    [
        pytest.param({"tag:version": 1.1}, "'tag:version': YAML reads this as a number, 1.1", id="1.10"),
        pytest.param({"name": ["a", 1.1]}, "'name': YAML reads this as a number, 1.1", id="in a list"),
        pytest.param({"tag:on": True}, "'tag:on': YAML reads this as a boolean, true", id="yes as a tag"),
        pytest.param({"tag-key": True}, "'tag-key': YAML reads this as a boolean, true", id="on as a key"),
        pytest.param({"owner-id": 1402434204}, "'owner-id': 1402434204 is a number without 12", id="octal"),
        pytest.param({"owner-id": ["1402434204"]}, "'owner-id': 1402434204 is a number", id="octal as text"),
        pytest.param({"owner-id": 1.1}, "'owner-id': YAML reads this as a number, 1.1", id="no owner"),
        pytest.param({"name": None}, "'name' has no value.", id="no value"),
        pytest.param({"name": []}, "'name' has no value.", id="no values"),
        pytest.param({"name": {"a": "b"}}, '\'name\': must be text (got {"a": "b"}).', id="a mapping"),
    ],
)
def test_filters_that_would_select_other_images_are_refused(given: Any, part: str) -> None:
    ((option, problem, remedy),) = refusals(OfKinds, filters=given)
    assert (option, problem.startswith(f"filters: {part}"), bool(remedy)) == ("filters", True, True)


@pytest.mark.parametrize("value", [1.1, True])
def test_a_tag_with_a_value_that_yaml_may_have_changed(value: Any) -> None:
    given = {"version": value, "build": 7, "none": None}
    ((option, problem, remedy),) = refusals(OfKinds, tags=given)
    assert (option, problem.startswith("tags: 'version': YAML reads this as a ")) == ("tags", True)
    assert "double quotes" in remedy


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-east-1", "us-isob-east-1", "ap-southeast-7"])
def test_a_region_by_its_form(region: str) -> None:
    assert read(OfKinds, regions=[f" {region} "]).regions == (region,)


@pytest.mark.parametrize(
    ("value", "shown"), [("EU west", "'EU west'"), ("", "''"), (7, "7"), ("eu-west", "'eu-west'")]
)
def test_a_region_that_is_none(value: Any, shown: str) -> None:
    expected = f"images: {shown} is not a region."
    refused = refusals(OfImages, images={value: SOURCE_ID})
    assert refused == [("images", expected, "Use a region such as eu-west-1.")]


@pytest.mark.parametrize("name", ["golden", "path/to/golden+=,.@_-", "a" * 64])
def test_the_name_of_a_role(name: str) -> None:
    given = {"consumer_role_name": name, "external_id": "ab:/1"}
    assert read(ConsumerRoleOptions, **given).consumer_role == ConsumerRole(name, "ab:/1")


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "..", "golden role", "arn:aws:iam::012345678901:role/golden", "a" * 65, "/a"]
)
def test_a_role_that_no_name_can_be(name: str) -> None:
    ((option, message, _remedy),) = refusals(ConsumerRoleOptions, consumer_role_name=name)
    assert option == "consumer_role_name"
    assert f"'{name}' is not a role name" in message


def test_an_external_id_is_not_shown() -> None:
    given = {"consumer_role_name": "golden", "external_id": "my secret"}
    ((option, message, _remedy),) = refusals(ConsumerRoleOptions, **given)
    assert (option, "secret" in message) == ("external_id", False)


@pytest.mark.parametrize("name", ["t3.micro", "u-6tb1.metal", "m7i-flex.large", None])
def test_an_instance_type(name: str | None) -> None:
    assert read(LaunchOptions, instance_type=name).instance_type == name


def test_an_instance_type_that_is_none() -> None:
    ((option, message, _remedy),) = refusals(LaunchOptions, instance_type="../x")
    assert (option, "'../x' is not an instance type" in message) == ("instance_type", True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, {}, id="not set"),
        pytest.param({}, {}, id="empty"),
        pytest.param(
            {"a": 1, 2: "b", "c": None, "d": ""}, {"a": "1", "2": "b", "c": "", "d": ""}, id="as strings"
        ),
    ],
)
def test_tags(value: dict[Any, Any] | None, expected: dict[str, str]) -> None:
    assert read(OfKinds, tags=value).tags == expected


def test_tags_that_aws_would_refuse_are_refused() -> None:
    refused = refusals(OfKinds, tags={"aws:x": "1", "golden.images:source": "2"})
    assert [option for option, _message, _remedy in refused] == ["tags", "tags"]


# Images in several accounts.


def by_target(images: Any, check_mode: bool = False) -> Mapping[tuple[str | None, str], str | None]:
    return read(OfTargets, check_mode, images=images).by_target.images


def test_images_of_the_own_account() -> None:
    assert by_target({"eu-west-1": SOURCE_ID}) == {(None, "eu-west-1"): SOURCE_ID}


def test_images_of_several_accounts() -> None:
    images = [
        {"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID, "state": "available"},
        {"account_id": "222222222222", "region": "eu-west-1", "image_id": None},
    ]
    assert by_target(images, check_mode=True) == {
        (CONSUMER, "eu-west-1"): SOURCE_ID,
        ("222222222222", "eu-west-1"): None,
    }


@pytest.mark.parametrize("image_id", [SOURCE_ID, None])
def test_an_image_may_be_listed_twice(image_id: str | None) -> None:
    images = [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": image_id}] * 2
    assert by_target(images, check_mode=True) == {(CONSUMER, "eu-west-1"): image_id}


def test_targets_name_the_own_account() -> None:
    options = read(OfTargets, images={"eu-west-1": SOURCE_ID})
    assert options.by_target.targets(CONSUMER) == {Target(CONSUMER, "eu-west-1"): SOURCE_ID}


def test_regions_have_no_duplicates() -> None:
    images = [
        {"account_id": account_id, "region": "eu-west-1", "image_id": SOURCE_ID}
        for account_id in (CONSUMER, "222222222222")
    ]
    assert read(OfTargets, images=images).by_target.regions == ("eu-west-1",)


@pytest.mark.parametrize(
    ("images", "text"),
    [
        pytest.param([], "there are no images", id="nothing"),
        pytest.param([{"region": "eu-west-1", "image_id": SOURCE_ID}], "has no account_id.", id="no account"),
        pytest.param(["ami-1"], "has no account_id or region or image_id.", id="no mapping"),
        pytest.param(
            [{"account_id": 12345670123, "region": "eu-west-1", "image_id": SOURCE_ID}],
            "12345670123 is a number",
            id="account ID that YAML parsed as a number",
        ),
        pytest.param(
            [{"account_id": " ", "region": "eu-west-1", "image_id": SOURCE_ID}],
            "the account_id of eu-west-1 is empty",
            id="blank account",
        ),
        pytest.param(
            [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": "ami"}],
            "'ami' is not a valid AMI ID",
            id="bad id",
        ),
        pytest.param(
            [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": None}],
            "is null",
            id="copy that does not exist yet",
        ),
        pytest.param(
            [
                {"account_id": CONSUMER, "region": "eu-west-1", "image_id": image_id}
                for image_id in (SOURCE_ID, "ami-0fedcba9876543211")
            ],
            f"account {CONSUMER} has two images in eu-west-1",
            id="two images",
        ),
    ],
)
def test_images_by_target_that_are_refused(images: Any, text: str) -> None:
    refused = refusals(OfTargets, images=images)
    assert [option for option, message, _remedy in refused if text in message] == ["images"]


def test_the_text_of_a_consumer_role_hides_the_external_id() -> None:
    options = read(ConsumerRoleOptions, consumer_role_name="golden-consumer", external_id="golden-7f3a")
    assert options.consumer_role == ConsumerRole("golden-consumer", "golden-7f3a")
    assert "golden-7f3a" not in repr((options, options.consumer_role))


def test_no_consumer_role() -> None:
    assert read(ConsumerRoleOptions, consumer_role_name="", external_id=None).consumer_role is None


SUBNET = "subnet-0123456789abcdef0"
GROUP = "sg-0123456789abcdef0"


def test_subnets_and_security_groups_by_region_and_account() -> None:
    options = read(
        LaunchOptions,
        subnet_ids={"eu-west-1": SUBNET, "us-east-1": {CONSUMER: "subnet-1a2b3c4d"}},
        security_group_ids={"eu-west-1": [GROUP, "sg-1a2b3c4d"], "us-east-1": {CONSUMER: GROUP}},
    )
    assert options.network == Network(
        {"eu-west-1": SUBNET, "us-east-1": {CONSUMER: "subnet-1a2b3c4d"}},
        {"eu-west-1": (GROUP, "sg-1a2b3c4d"), "us-east-1": {CONSUMER: (GROUP,)}},
    )


def test_an_account_id_that_ansible_has_made_text_of_a_number() -> None:
    subnets = {"eu-west-1": {"1402434204": SUBNET}}
    ((_option, problem, _remedy),) = refusals(LaunchOptions, subnet_ids=subnets)
    assert problem.endswith("account ID: YAML reads 012345671234 without quotes as this number.")


def test_subnets_and_security_groups_that_are_refused() -> None:
    given = {"subnet_ids": {"eu-west-1": GROUP}, "security_group_ids": {"eu-west-1": [SUBNET]}}
    assert refusals(LaunchOptions, **given) == [
        (
            "subnet_ids",
            f"subnet_ids: '{GROUP}' is not a valid subnet ID.",
            f"Use an ID such as {SUBNET}.",
        ),
        (
            "security_group_ids",
            f"security_group_ids: '{SUBNET}' is not a valid security group ID.",
            f"Use an ID such as {GROUP}.",
        ),
    ]


def test_the_tags_of_launches() -> None:
    assert read(LaunchOptions, launch_tags=None).launch_tags == {}
    given = {"CostCenter": "0042"}
    assert read(LaunchOptions, launch_tags=given).launch_tags == given


def test_a_launch_can_have_49_tags_beside_that_of_a_probe() -> None:
    given = {f"tag-{number}": "" for number in range(49)}
    assert read(LaunchOptions, launch_tags=given).launch_tags == given
    ((option, problem, _remedy),) = refusals(LaunchOptions, launch_tags={**given, "one-more": ""})
    assert (option, "51 tags including those of this collection" in problem) == ("launch_tags", True)


@pytest.mark.parametrize("key", ["golden.images:probe", "aws:x", "AWS:x"])
def test_tags_of_launches_that_are_refused(key: str) -> None:
    ((option, problem, _remedy),) = refusals(LaunchOptions, launch_tags={key: "x"})
    assert (option, f"the key '{key}' begins with" in problem) == ("launch_tags", True)


@pytest.mark.parametrize(
    ("s3_uri", "ssm_path"),
    [
        (None, None),
        ("s3://golden-tombstones", "/golden"),
        ("s3://golden.tombstones/a/b", "/golden/retired/"),
        (None, "/1" * 13),
    ],
)
def test_places_for_tombstones(s3_uri: str | None, ssm_path: str | None) -> None:
    options = read(OfTombstones, tombstone_s3_uri=s3_uri, tombstone_ssm_path=ssm_path)
    assert (options.tombstone_s3_uri, options.tombstone_ssm_path) == (s3_uri, ssm_path)


@pytest.mark.parametrize(
    "s3_uri",
    [
        *("golden", "https://golden/x", "s3://Golden", "s3://g", "s3:///x"),
        *("s3://golden..images/x", "s3://192.168.5.4/x", "s3://golden/a\tb"),
    ],
)
@pytest.mark.parametrize(
    "ssm_path", ["retired", "/", "/golden//x", "/golden images", "/aws/golden", "/ssm", "/SSM/x", "/1" * 14]
)
def test_places_for_tombstones_that_are_refused(s3_uri: str, ssm_path: str) -> None:
    refused = refusals(OfTombstones, tombstone_s3_uri=s3_uri, tombstone_ssm_path=ssm_path)
    assert [(option, message) for option, message, _remedy in refused] == [
        ("tombstone_s3_uri", f"tombstone_s3_uri: '{s3_uri}' is not a valid S3 URI."),
        ("tombstone_ssm_path", f"tombstone_ssm_path: '{ssm_path}' is not a valid parameter path."),
    ]


def test_an_s3_folder_leaves_room_for_names() -> None:
    assert is_s3_folder("s3://golden/" + "ü" * 500 + "/", 23)
    assert not is_s3_folder("s3://golden/" + "ü" * 500 + "/", 24)
    uri = "s3://golden/" + "ü" * 490
    ((option, message, _remedy),) = refusals(OfTombstones, tombstone_s3_uri=uri)
    assert (option, message[:40]) == ("tombstone_s3_uri", "tombstone_s3_uri: 's3://golden/" + "ü" * 9)


def test_the_path_of_tombstones_leaves_room_for_the_rest_of_their_names() -> None:
    # With the ARN in us-isof-south-1, 1,011 characters.
    path = "/" + "x" * 922
    assert read(OfTombstones, tombstone_ssm_path=path).tombstone_ssm_path == path
    ((option, message, remedy),) = refusals(OfTombstones, tombstone_ssm_path=f"{path}x")
    assert option == "tombstone_ssm_path"
    assert message.startswith("tombstone_ssm_path: '/xxx")
    assert "900 characters" in remedy


def test_a_parameter_of_another_region_is_refused() -> None:
    arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/golden/web"
    assert parameter_problem(arn, "eu-west-1") is parameter_problem(arn) is None
    problem, _remedy = parameter_problem(arn, "us-east-1") or ("", "")
    assert problem.endswith("is not in us-east-1: its ARN names eu-west-1.")


@pytest.mark.parametrize("value", [0.0, -3.0, float("inf"), float("nan")])
def test_a_rate_must_be_greater_than_0(value: float) -> None:
    refused = f"max_calls_per_second: must be greater than 0 (got {value:g}). Use a number such as 5 or 0.5"
    with pytest.raises(ValidationError, match=re.escape(refused)):
        RateOptions.read({"max_calls_per_second": value}, check_mode=False)


@pytest.mark.parametrize("value", [0.5, 5.0, None])
def test_the_rate_of_calls(value: float | None) -> None:
    assert RateOptions.read({"max_calls_per_second": value}, check_mode=False).max_calls_per_second == value
