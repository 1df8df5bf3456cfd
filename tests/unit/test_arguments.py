# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that modules share: parsed values, and refusals of values that are not valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.arguments import (
    CONSUMER_ROLE_SPEC,
    CONSUMERS_SPEC,
    Options,
    check_tombstone_stores,
    is_s3_folder,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import (
    ConsumerRole,
    Network,
    Sharing,
    Target,
)

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, UNIT, as_read


def options(*, allows_planned: bool = False, **params: Any) -> Options:
    nothing: dict[str, Any] = {
        "account_ids": [],
        "org_arns": [],
        "org_unit_arns": [],
        "images": None,
        "image_id": None,
        "region": None,
    }
    return Options({**nothing, **params}, allows_planned)


def consumers(**params: Any) -> Sharing:
    """The consumers of a module that has read its options."""
    read = Options(as_read(CONSUMERS_SPEC, params))
    found = read.consumers()
    read.check()
    return found


def refusals(read: Options) -> list[tuple[str, str, str]]:
    """Option, message and remedy of every failure."""
    with pytest.raises(Refused) as refused:
        read.check()
    return shown(refused.value)


def unread(spec: Mapping[str, Any], **params: Any) -> list[tuple[str, str, str]]:
    """Option, message and remedy of every option that cannot be read."""
    with pytest.raises(Refused) as refused:
        as_read(spec, params)
    return shown(refused.value)


def shown(refused: Refused) -> list[tuple[str, str, str]]:
    assert {failure.error_code for failure in refused.failures} == {"invalid_option"}
    return [(failure.action, failure.message, failure.remedy) for failure in refused.failures]


def test_consumers() -> None:
    read = options(account_ids=[CONSUMER, "222222222222"], org_arns=[ORG], org_unit_arns=[UNIT])
    assert read.consumers() == Sharing(
        frozenset({CONSUMER, "222222222222"}), frozenset({ORG}), frozenset({UNIT})
    )
    read.check()


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"account_ids": [f" {CONSUMER}\n"]}, id="surrounding space"),
        pytest.param({"account_ids": [CONSUMER, CONSUMER]}, id="named twice"),
    ],
)
def test_space_and_duplicates_are_dropped(params: dict[str, Any]) -> None:
    assert consumers(**params) == Sharing(frozenset({CONSUMER}))


@pytest.mark.parametrize(
    "org",
    [
        ORG,
        "arn:aws-us-gov:organizations::111122223333:organization/o-a1b2c3d4e5",
        "arn:aws-cn:organizations::111122223333:organization/o-" + "a" * 32,
    ],
)
def test_organizations_of_every_partition(org: str) -> None:
    read = options(org_arns=[org])
    assert read.consumers().org_arns == {org}
    read.check()


def test_an_account_id_can_be_a_number_of_12_digits() -> None:
    assert consumers(account_ids=[222222222222]).account_ids == {"222222222222"}


def test_an_account_id_whose_leading_zero_yaml_lost_is_refused_with_a_quoted_example() -> None:
    ((option, message, remedy),) = unread(CONSUMERS_SPEC, account_ids=[12345678901])
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
    with pytest.raises(Refused) as refused:
        consumers(**params)
    ((found, message, remedy),) = shown(refused.value)
    assert found == option
    assert named in message
    assert "Use an ARN such as " in remedy or '"012345678901"' in remedy


def test_one_refusal_has_all_failures() -> None:
    unreadable = unread(CONSUMERS_SPEC, account_ids=[1, "2"], org_arns=[1.1])
    assert [option for option, _message, _remedy in unreadable] == ["account_ids", "account_ids", "org_arns"]
    read = options(org_arns=["x"], org_unit_arns=["y"], image_id="z")
    read.consumers()
    read.images()
    assert [option for option, _message, _remedy in refusals(read)] == [
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
@pytest.mark.parametrize("allows_planned", [True, False])
def test_images(params: dict[str, Any], expected: dict[str, str], allows_planned: bool) -> None:
    read = options(allows_planned=allows_planned, **params)
    assert read.images() == expected
    read.check()


def test_a_copy_that_does_not_exist_yet_can_be_allowed() -> None:
    read = options(allows_planned=True, images={"eu-west-1": None, "us-east-1": OLD_ID})
    assert read.images() == {"eu-west-1": None, "us-east-1": OLD_ID}
    read.check()


@pytest.mark.parametrize(
    ("params", "option", "text"),
    [
        pytest.param(
            {"images": {"eu-west-1": None, "us-east-1": OLD_ID}}, "images", "eu-west-1 is null", id="null"
        ),
        pytest.param(
            {"images": {"eu-west-1": "ami-xyz"}}, "images", "'ami-xyz' is not a valid AMI ID", id="bad id"
        ),
        pytest.param({"images": {"eu-west-1": 5}}, "images", "5 is not a valid AMI ID", id="a number"),
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
        pytest.param({"image_id": "", "region": "eu-west-1"}, "image_id", "not a valid AMI ID", id="blank"),
    ],
)
def test_images_that_are_refused(params: dict[str, Any], option: str, text: str) -> None:
    read = options(**params)
    read.images()
    found, message, remedy = refusals(read)[0]
    assert found == option
    assert text in message
    assert remedy


def test_a_list_of_strings() -> None:
    read = options(regions=["eu-west-1", " us-east-1 "])
    assert read.strings("regions") == ("eu-west-1", "us-east-1")
    read.check()
    assert options(regions=None).strings("regions") == ()


@pytest.mark.parametrize("option", ["account_ids", "org_arns", "org_unit_arns"])
@pytest.mark.parametrize("item", [None, "", " "])
def test_an_empty_consumer(option: str, item: str | None) -> None:
    assert unread(CONSUMERS_SPEC, **{option: [item]}) == [
        (option, f"{option}: item 1 is empty.", "Remove it; only the whole list can be empty.")
    ]


def test_an_empty_item_is_refused_once() -> None:
    read = options(regions=["eu-west-1", "  ", ""])
    assert (read.strings("regions"), read.strings("regions")) == (("eu-west-1",),) * 2
    assert refusals(read) == [
        ("regions", "regions: item 2 is empty.", "Remove it; only the whole list can be empty.")
    ]


def test_a_long_value_is_cut() -> None:
    ((_option, message, _remedy),) = unread(CONSUMERS_SPEC, account_ids=["x" * 5000])
    assert len(message) < 450
    assert message.startswith("account_ids: item 1: 'xxx")
    assert message.endswith("xxx' is not a valid account ID.")


def test_a_tag_with_a_value_that_is_not_text() -> None:
    read = options(tags={"a": {"b": 1}, "c": 1})
    read.tags("tags")
    problem = "tags: the value of 'a' is not text (got {\"b\": 1})."
    assert refusals(read) == [("tags", problem, "Set one text for each tag.")]


def test_a_tag_with_a_key_that_yaml_may_have_changed() -> None:
    read = options(tags={1.1: "x", 7: "y"})
    read.tags("tags")
    ((option, problem, _remedy),) = refusals(read)
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
    read = options(filters=given)
    assert read.filters("filters") == expected
    read.check()


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
    read = options(filters=given)
    read.filters("filters")
    ((option, problem, remedy),) = refusals(read)
    assert (option, problem.startswith(f"filters: {part}"), bool(remedy)) == ("filters", True, True)


@pytest.mark.parametrize("value", [1.1, True])
def test_a_tag_with_a_value_that_yaml_may_have_changed(value: Any) -> None:
    read = options(tags={"version": value, "build": 7, "none": None})
    read.tags("tags")
    ((option, problem, remedy),) = refusals(read)
    assert (option, problem.startswith("tags: 'version': YAML reads this as a ")) == ("tags", True)
    assert "double quotes" in remedy


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-east-1", "us-isob-east-1", "ap-southeast-7"])
def test_a_region_by_its_form(region: str) -> None:
    read = options(regions=[f" {region} "])
    assert read.regions("regions") == (region,)
    read.check()


@pytest.mark.parametrize(
    ("value", "shown"), [("EU west", "'EU west'"), ("", "''"), (7, "7"), ("eu-west", "'eu-west'")]
)
def test_a_region_that_is_none(value: Any, shown: str) -> None:
    read = options()
    read.region("regions", value)
    expected = f"regions: {shown} is not a region."
    assert refusals(read) == [("regions", expected, "Use a region such as eu-west-1.")]


@pytest.mark.parametrize("name", ["golden", "path/to/golden+=,.@_-", "a" * 64])
def test_the_name_of_a_role(name: str) -> None:
    given = {"consumer_role_name": name, "external_id": "ab:/1"}
    assert Options(as_read(CONSUMER_ROLE_SPEC, given)).consumer_role() == ConsumerRole(name, "ab:/1")


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "..", "golden role", "arn:aws:iam::012345678901:role/golden", "a" * 65, "/a"]
)
def test_a_role_that_no_name_can_be(name: str) -> None:
    ((option, message, _remedy),) = unread(CONSUMER_ROLE_SPEC, consumer_role_name=name)
    assert option == "consumer_role_name"
    assert f"'{name}' is not a role name" in message


def test_an_external_id_is_not_shown() -> None:
    given = {"consumer_role_name": "golden", "external_id": "my secret"}
    ((option, message, _remedy),) = unread(CONSUMER_ROLE_SPEC, **given)
    assert (option, "secret" in message) == ("external_id", False)


@pytest.mark.parametrize("name", ["t3.micro", "u-6tb1.metal", "m7i-flex.large", None])
def test_an_instance_type(name: str | None) -> None:
    read = options(instance_type=name)
    assert read.instance_type() == name
    read.check()


def test_an_instance_type_that_is_none() -> None:
    read = options(instance_type="../x")
    read.instance_type()
    ((option, message, _remedy),) = refusals(read)
    assert (option, "'../x' is not an instance type" in message) == ("instance_type", True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="not set"),
        pytest.param({}, {}, id="empty"),
        pytest.param(
            {"a": 1, 2: "b", "c": None, "d": ""}, {"a": "1", "2": "b", "c": "", "d": ""}, id="as strings"
        ),
    ],
)
def test_tags(value: dict[Any, Any] | None, expected: dict[str, str] | None) -> None:
    read = options(tags=value)
    assert read.tags("tags") == expected
    read.check()


def test_tags_that_aws_would_refuse_are_refused() -> None:
    read = options(tags={"aws:x": "1", "golden.images:source": "2"})
    read.tags("tags")
    assert [option for option, _message, _remedy in refusals(read)] == ["tags", "tags"]


def test_valid_options_are_not_refused() -> None:
    options().check()


# Images in several accounts.


def by_target(images: Any, *, allows_planned: bool = False) -> dict[tuple[str | None, str], str | None]:
    read = options(allows_planned=allows_planned, images=images)
    found = read.images_by_target()
    read.check()
    return dict(found.images)


def test_images_of_the_own_account() -> None:
    assert by_target({"eu-west-1": SOURCE_ID}) == {(None, "eu-west-1"): SOURCE_ID}


def test_images_of_several_accounts() -> None:
    images = [
        {"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID, "state": "available"},
        {"account_id": "222222222222", "region": "eu-west-1", "image_id": None},
    ]
    assert by_target(images, allows_planned=True) == {
        (CONSUMER, "eu-west-1"): SOURCE_ID,
        ("222222222222", "eu-west-1"): None,
    }


@pytest.mark.parametrize("image_id", [SOURCE_ID, None])
def test_an_image_may_be_listed_twice(image_id: str | None) -> None:
    images = [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": image_id}] * 2
    assert by_target(images, allows_planned=True) == {(CONSUMER, "eu-west-1"): image_id}


def test_targets_name_the_own_account() -> None:
    read = options(images={"eu-west-1": SOURCE_ID})
    assert read.images_by_target().targets(CONSUMER) == {Target(CONSUMER, "eu-west-1"): SOURCE_ID}


def test_regions_have_no_duplicates() -> None:
    images = [
        {"account_id": account_id, "region": "eu-west-1", "image_id": SOURCE_ID}
        for account_id in (CONSUMER, "222222222222")
    ]
    assert options(images=images).images_by_target().regions == ("eu-west-1",)


@pytest.mark.parametrize(
    ("images", "text"),
    [
        pytest.param([], "there are no images", id="nothing"),
        pytest.param([{"region": "eu-west-1", "image_id": SOURCE_ID}], "has no account_id", id="no account"),
        pytest.param(["ami-1"], "has no account_id", id="no mapping"),
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
    read = options(images=images)
    read.images_by_target()
    assert [option for option, message, _remedy in refusals(read) if text in message] == ["images"]


def test_the_text_of_a_consumer_role_hides_the_external_id() -> None:
    role = Options({"consumer_role_name": "golden-consumer", "external_id": "golden-7f3a"}).consumer_role()
    assert role == ConsumerRole("golden-consumer", "golden-7f3a")
    assert "golden-7f3a" not in repr(role)


def test_no_consumer_role() -> None:
    assert Options({"consumer_role_name": "", "external_id": None}).consumer_role() is None


SUBNET = "subnet-0123456789abcdef0"
GROUP = "sg-0123456789abcdef0"


def test_subnets_and_security_groups_by_region_and_account() -> None:
    read = options(
        subnet_ids={"eu-west-1": SUBNET, "us-east-1": {CONSUMER: "subnet-1a2b3c4d"}},
        security_group_ids={"eu-west-1": [GROUP, "sg-1a2b3c4d"], "us-east-1": {CONSUMER: GROUP}},
    )
    assert read.network() == Network(
        {"eu-west-1": SUBNET, "us-east-1": {CONSUMER: "subnet-1a2b3c4d"}},
        {"eu-west-1": (GROUP, "sg-1a2b3c4d"), "us-east-1": {CONSUMER: (GROUP,)}},
    )
    read.check()


def test_an_account_id_that_ansible_has_made_text_of_a_number() -> None:
    read = options(subnet_ids={"eu-west-1": {"1402434204": SUBNET}}, security_group_ids={})
    read.network()
    ((_option, problem, _remedy),) = refusals(read)
    assert problem.endswith("account ID: YAML reads 012345671234 without quotes as this number.")


def test_subnets_and_security_groups_that_are_refused() -> None:
    read = options(subnet_ids={"eu-west-1": GROUP}, security_group_ids={"eu-west-1": [SUBNET]})
    read.network()
    assert refusals(read) == [
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
    assert options(launch_tags=None).launch_tags() == {}
    assert options(launch_tags={"CostCenter": "0042"}).launch_tags() == {"CostCenter": "0042"}


def test_a_launch_can_have_49_tags_beside_that_of_a_probe() -> None:
    most = options(launch_tags={f"tag-{one}": "" for one in range(49)})
    assert len(most.launch_tags()) == 49
    most.check()
    too_many = options(launch_tags={f"tag-{one}": "" for one in range(50)})
    too_many.launch_tags()
    ((option, problem, _remedy),) = refusals(too_many)
    assert (option, "51 tags including those of this collection" in problem) == ("launch_tags", True)


@pytest.mark.parametrize("key", ["golden.images:probe", "aws:x", "AWS:x"])
def test_tags_of_launches_that_are_refused(key: str) -> None:
    read = options(launch_tags={key: "x"})
    read.launch_tags()
    ((option, problem, _remedy),) = refusals(read)
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
    read = options()
    check_tombstone_stores(read, s3_uri, ssm_path)
    read.check()


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
    read = options()
    check_tombstone_stores(read, s3_uri, ssm_path)
    assert [(option, message) for option, message, _remedy in refusals(read)] == [
        ("tombstone_s3_uri", f"tombstone_s3_uri: '{s3_uri}' is not a valid S3 URI."),
        ("tombstone_ssm_path", f"tombstone_ssm_path: '{ssm_path}' is not a valid parameter path."),
    ]


def test_an_s3_folder_leaves_room_for_names() -> None:
    assert is_s3_folder("s3://golden/" + "ü" * 500 + "/", 23)
    assert not is_s3_folder("s3://golden/" + "ü" * 500 + "/", 24)
    read = options()
    check_tombstone_stores(read, "s3://golden/" + "ü" * 490, None)
    ((option, message, _remedy),) = refusals(read)
    assert (option, message[:40]) == ("tombstone_s3_uri", "tombstone_s3_uri: 's3://golden/" + "ü" * 9)


def test_the_path_of_tombstones_leaves_room_for_the_rest_of_their_names() -> None:
    read = options()
    # With the ARN in us-isof-south-1, 1,011 characters.
    check_tombstone_stores(read, None, "/" + "x" * 922)
    read.check()
    check_tombstone_stores(read, None, "/" + "x" * 923)
    ((option, message, remedy),) = refusals(read)
    assert option == "tombstone_ssm_path"
    assert message.startswith("tombstone_ssm_path: '/xxx")
    assert "900 characters" in remedy


def test_a_parameter_of_another_region_is_refused() -> None:
    arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/golden/web"
    read = options()
    assert read.parameter("source_parameter", arn, "eu-west-1") == arn
    read.parameter("source_parameter", arn)
    read.check()
    read.parameter("source_parameter", arn, "us-east-1")
    ((option, problem, _remedy),) = refusals(read)
    assert option == "source_parameter"
    assert problem.endswith("is not in us-east-1: its ARN names eu-west-1.")
