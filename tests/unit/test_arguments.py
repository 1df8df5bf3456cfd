# SPDX-License-Identifier: GPL-3.0-or-later

"""How the options that modules share are read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.arguments import Options
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, Sharing, Target

from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, UNIT


def options(**params: Any) -> Options:
    nothing: dict[str, Any] = {
        "account_ids": [],
        "org_arns": [],
        "org_unit_arns": [],
        "images": None,
        "image_id": None,
        "region": None,
    }
    return Options({**nothing, **params})


def refusals(read: Options) -> list[tuple[str, str, str]]:
    """Option, message and remedy of all that is wrong."""
    with pytest.raises(Refused) as refused:
        read.check()
    assert {failure.error_code for failure in refused.value.failures} == {"invalid_option"}
    return [(failure.action, failure.message, failure.remedy) for failure in refused.value.failures]


def test_consumers() -> None:
    read = options(account_ids=[CONSUMER, "222222222222"], org_arns=[ORG], org_unit_arns=[UNIT])
    assert read.consumers() == Sharing(
        frozenset({CONSUMER, "222222222222"}), frozenset({ORG}), frozenset({UNIT})
    )
    read.check()


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"account_ids": ["", " ", CONSUMER]}, id="blank accounts"),
        pytest.param({"account_ids": [f" {CONSUMER}\n"]}, id="surrounding space"),
        pytest.param({"account_ids": [CONSUMER, CONSUMER]}, id="named twice"),
        pytest.param({"account_ids": [CONSUMER], "org_arns": [""], "org_unit_arns": ["  "]}, id="blank ARNs"),
    ],
)
def test_what_a_form_sends_is_cleaned(params: dict[str, Any]) -> None:
    read = options(**params)
    assert read.consumers() == Sharing(frozenset({CONSUMER}))
    read.check()


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


def test_an_account_that_yaml_read_as_a_number_is_refused_with_the_quoting() -> None:
    read = options(account_ids=[12345678901])
    read.consumers()
    ((option, message, remedy),) = refusals(read)
    assert option == "account_ids"
    assert "12345678901 is a number" in message
    assert "leading zero" in message
    assert '"012345678901"' in remedy


@pytest.mark.parametrize(
    ("params", "option", "named"),
    [
        pytest.param({"account_ids": ["12345678901"]}, "account_ids", "'12345678901'", id="11 digits"),
        pytest.param({"account_ids": ["1234567890123"]}, "account_ids", "'1234567890123'", id="13 digits"),
        pytest.param({"account_ids": ["1111-2222-3333"]}, "account_ids", "'1111-2222-3333'", id="dashes"),
        pytest.param({"account_ids": ["all"]}, "account_ids", "'all'", id="a group"),
        pytest.param({"account_ids": ["١١١١٢٢٢٢٣٣٣٣"]}, "account_ids", "'١١١١٢٢٢٢٣٣٣٣'", id="other digits"),
        pytest.param({"account_ids": [1.5]}, "account_ids", "'1.5'", id="a fraction"),
        pytest.param({"account_ids": [None]}, "account_ids", "'None'", id="null"),
        pytest.param(
            {"org_arns": ["o-a1b2c3d4e5"]}, "org_arns", "'o-a1b2c3d4e5'", id="an id instead of an ARN"
        ),
        pytest.param({"org_arns": [UNIT]}, "org_arns", UNIT, id="a unit among organizations"),
        pytest.param({"org_unit_arns": [ORG]}, "org_unit_arns", ORG, id="an organization among units"),
        pytest.param({"org_unit_arns": [UNIT + "/x"]}, "org_unit_arns", UNIT + "/x", id="something behind"),
        pytest.param(
            {"org_unit_arns": ["ou-ab12-11111111"]}, "org_unit_arns", "'ou-ab12-11111111'", id="unit id"
        ),
    ],
)
def test_consumers_that_are_refused(params: dict[str, Any], option: str, named: str) -> None:
    read = options(**params)
    read.consumers()
    ((found, message, remedy),) = refusals(read)
    assert found == option
    assert named in message
    assert "looks like" in remedy or '"012345678901"' in remedy


def test_all_that_is_wrong_is_told_at_once() -> None:
    read = options(account_ids=[1, "2"], org_arns=["x"], org_unit_arns=["y"], image_id="z")
    read.consumers()
    read.images(check_mode=False)
    assert [option for option, _message, _remedy in refusals(read)] == [
        "account_ids",
        "account_ids",
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
    read = options(**params)
    assert read.images(check_mode) == expected
    read.check()


def test_a_copy_that_does_not_exist_yet_can_be_planned_for() -> None:
    read = options(images={"eu-west-1": None, "us-east-1": OLD_ID})
    assert read.images(check_mode=True) == {"eu-west-1": None, "us-east-1": OLD_ID}
    read.check()


@pytest.mark.parametrize(
    ("params", "option", "text"),
    [
        pytest.param(
            {"images": {"eu-west-1": None, "us-east-1": OLD_ID}}, "images", "eu-west-1 is null", id="null"
        ),
        pytest.param({"images": {"eu-west-1": "ami-xyz"}}, "images", "'ami-xyz' is no image id", id="bad id"),
        pytest.param({"images": {"eu-west-1": 5}}, "images", "'5' is no image id", id="a number"),
        pytest.param({"images": {"eu-west-1": SOURCE_ID + "0"}}, "images", "no image id", id="long id"),
        pytest.param({"images": {}}, "images", "no image is named", id="empty"),
        pytest.param({"image_id": SOURCE_ID}, "image_id", "region is not named", id="without region"),
        pytest.param(
            {"image_id": "snap-0123456789abcdef0", "region": "eu-west-1"},
            "image_id",
            "no image id",
            id="snapshot",
        ),
        pytest.param({"image_id": "", "region": "eu-west-1"}, "image_id", "no image id", id="blank"),
    ],
)
def test_images_that_are_refused(params: dict[str, Any], option: str, text: str) -> None:
    read = options(**params)
    read.images(check_mode=False)
    found, message, remedy = refusals(read)[0]
    assert found == option
    assert text in message
    assert remedy


def test_a_list_of_texts_without_blanks() -> None:
    assert options(regions=["eu-west-1", "", " us-east-1 ", "  "]).strings("regions") == (
        "eu-west-1",
        "us-east-1",
    )
    assert options(regions=None).strings("regions") == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="not named"),
        pytest.param({}, {}, id="none"),
        pytest.param(
            {"a": 1, 2: "b", "c": None, "d": ""}, {"a": "1", "2": "b", "c": "", "d": ""}, id="as texts"
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


def test_nothing_wrong_is_no_refusal() -> None:
    options().check()


# Images that live in several accounts.


def placed(images: Any, *, check_mode: bool = False) -> dict[tuple[str | None, str], str | None]:
    read = options(images=images)
    found = read.images_by_target(check_mode)
    read.check()
    return dict(found.images)


def test_images_of_the_own_account() -> None:
    assert placed({"eu-west-1": SOURCE_ID}) == {(None, "eu-west-1"): SOURCE_ID}


def test_images_of_several_accounts() -> None:
    images = [
        {"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID, "state": "available"},
        {"account_id": "222222222222", "region": "eu-west-1", "image_id": None},
    ]
    assert placed(images, check_mode=True) == {
        (CONSUMER, "eu-west-1"): SOURCE_ID,
        ("222222222222", "eu-west-1"): None,
    }


def test_the_own_account_is_filled_in_once_it_is_known() -> None:
    read = options(images={"eu-west-1": SOURCE_ID})
    assert read.images_by_target(False).targets(CONSUMER) == {Target(CONSUMER, "eu-west-1"): SOURCE_ID}


def test_the_regions_are_each_named_once() -> None:
    images = [
        {"account_id": account_id, "region": "eu-west-1", "image_id": SOURCE_ID}
        for account_id in (CONSUMER, "222222222222")
    ]
    assert options(images=images).images_by_target(False).regions == ("eu-west-1",)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        pytest.param("ami-1", "'ami-1' is no mapping and no list", id="text"),
        pytest.param([], "no image is named", id="nothing"),
        pytest.param([{"region": "eu-west-1", "image_id": SOURCE_ID}], "lacks account_id", id="no account"),
        pytest.param(["ami-1"], "lacks account_id", id="no mapping"),
        pytest.param(
            [{"account_id": 12345670123, "region": "eu-west-1", "image_id": SOURCE_ID}],
            "12345670123 is a number",
            id="account that YAML spoilt",
        ),
        pytest.param(
            [{"account_id": " ", "region": "eu-west-1", "image_id": SOURCE_ID}],
            "the account of eu-west-1 is not named",
            id="blank account",
        ),
        pytest.param(
            [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": "ami"}],
            "'ami' is no image id",
            id="bad id",
        ),
        pytest.param(
            [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": None}], "is null", id="not there yet"
        ),
        pytest.param(
            [{"account_id": CONSUMER, "region": "eu-west-1", "image_id": SOURCE_ID}] * 2,
            f"there are two images of {CONSUMER} in eu-west-1",
            id="twice",
        ),
    ],
)
def test_images_that_cannot_be_placed(images: Any, said: str) -> None:
    read = options(images=images)
    read.images_by_target(False)
    assert [option for option, message, _remedy in refusals(read) if said in message] == ["images"]


def test_a_consumers_role_shows_no_external_id() -> None:
    role = Options({"consumer_role_name": "golden-consumer", "external_id": "golden-7f3a"}).consumer_role()
    assert role == ConsumerRole("golden-consumer", "golden-7f3a")
    assert "golden-7f3a" not in repr(role)


def test_no_consumers_role() -> None:
    assert Options({"consumer_role_name": "", "external_id": None}).consumer_role() is None
