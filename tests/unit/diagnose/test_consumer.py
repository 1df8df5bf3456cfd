# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings from the account that would launch an image."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    AllowedImages,
    ConsumerView,
    OwnerView,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.diagnose.examples import (
    ENCRYPTED,
    IMAGE,
    IMAGE_NOT_VISIBLE,
    SHARED,
    UNREADABLE,
    codes,
    consumer,
    diagnosis,
    owner,
)
from tests.unit.examples import ORG, OWNER, STRANGER, UNIT, source_image

PUBLIC, PRIVATE = Sharing(public=True), Sharing()


IN_UNIT, IN_ORG = Sharing(org_unit_arns=frozenset({UNIT})), Sharing(org_arns=frozenset({ORG}))


HIDDEN = ConsumerView(allowed_images=AllowedImages("enabled", ({"ImageProviders": [STRANGER]},)))


BLIND = IMAGE_NOT_VISIBLE


DENIED = ("UnauthorizedOperation", "You are not authorized to perform this operation.")


B, U, N = "blocking", "unknown", "harmless"


@pytest.mark.parametrize(
    ("of_owner", "of_consumer", "expected", "level"),
    [
        pytest.param(owner(), consumer(), [], "authorized", id="accepted"),
        pytest.param(owner(), HIDDEN, [("hidden_by_allowed_images", B)], None, id="hidden"),
        pytest.param(
            owner(PRIVATE), HIDDEN, [("not_shared", B), ("hidden_by_allowed_images", B)], None, id="both"
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": [OWNER]},))),
            [("not_visible", B)],
            None,
            id="allowed, but not visible",
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": ["amazon"]},))),
            [("hidden_by_allowed_images", U), ("not_visible", B)],
            None,
            id="unknown criteria, shared with the account",
        ),
        pytest.param(
            owner(IN_UNIT),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": ["amazon"]},))),
            [("hidden_by_allowed_images", U), ("outside_organization", B)],
            None,
            id="unknown criteria, shared with a unit",
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("audit-mode", ({"ImageProviders": ["none"]},))),
            [("not_visible", B)],
            None,
            id="audit mode hides nothing",
        ),
        pytest.param(
            owner(),
            consumer(image=source_image(allowed=False)),
            [("allowed_images_audit_mode", N)],
            "authorized",
            id="audit mode, not allowed",
        ),
        pytest.param(
            owner(), consumer(image=source_image(allowed=True)), [], "authorized", id="audit mode, allowed"
        ),
        pytest.param(owner(), BLIND, [("not_visible", B)], None, id="not visible yet"),
        pytest.param(owner(), ConsumerView(), [("not_visible", B)], None, id="perhaps hidden"),
        pytest.param(owner(IN_UNIT), ConsumerView(), [("not_visible", B)], None, id="outside, or hidden"),
        pytest.param(
            owner(),
            consumer(dry_run=("OptInRequired", "No.")),
            [("launch_refused", B)],
            "visible",
            id="terms that were not accepted",
        ),
        pytest.param(owner(PRIVATE), BLIND, [("not_shared", B)], None, id="not shared and not visible"),
        pytest.param(owner(IN_UNIT), BLIND, [("outside_organization", B)], None, id="outside of the unit"),
        pytest.param(
            owner(IN_UNIT),
            consumer(),
            [("shared_through_organization", N)],
            "authorized",
            id="inside of the unit",
        ),
        pytest.param(
            OwnerView(problem=UNREADABLE),
            BLIND,
            [("owner_unreadable", U), ("not_visible", B)],
            None,
            id="owner unreadable",
        ),
        pytest.param(
            OwnerView(image=source_image(owner_id=STRANGER)),
            consumer(),
            [("not_owner", N)],
            "authorized",
            id="another account's image, visible",
        ),
        pytest.param(
            owner(),
            ConsumerView(problem=UNREADABLE),
            [("consumer_unreadable", U)],
            None,
            id="consumer unreadable",
        ),
        pytest.param(owner(), consumer(dry_run=DENIED), [("launch_denied", B)], "visible", id="denied"),
        pytest.param(
            owner(),
            consumer(dry_run=("InvalidAMIID.Unavailable", "No.")),
            [("launch_refused", B)],
            "visible",
            id="refused for the image",
        ),
        pytest.param(
            owner(),
            consumer(dry_run=("AuthFailure", "Not authorized for images: [ami-1]")),
            [("missing_launch_permission", B)],
            "visible",
            id="no permission for the launch",
        ),
        pytest.param(
            owner(),
            consumer(dry_run=("InvalidSubnetID.NotFound", "No.")),
            [("dry_run_inconclusive", U)],
            "visible",
            id="refused for the network",
        ),
        pytest.param(
            owner(),
            consumer(dry_run=("", "Strange.")),
            [("dry_run_inconclusive", U)],
            "visible",
            id="no dry run",
        ),
    ],
)
def test_findings_of_the_account(
    of_owner: OwnerView, of_consumer: ConsumerView, expected: list[tuple[str, str]], level: str | None
) -> None:
    found = diagnosis(of_owner, of_consumer)
    assert (codes(found), found["level"]) == (expected, level)


def test_an_image_that_only_the_account_sees_exists() -> None:
    found = diagnosis(OwnerView(), consumer())
    assert (codes(found), found["level"]) == ([("image_not_found", U)], "authorized")


OWNERS = st.builds(
    owner, st.sampled_from([PRIVATE, SHARED, PUBLIC, IN_UNIT]), image=st.sampled_from([IMAGE, ENCRYPTED])
)


CONSUMERS = st.sampled_from([HIDDEN, BLIND, consumer(), consumer(dry_run=DENIED), None])


@given(OWNERS, CONSUMERS)
def test_levels_are_never_confused(of_owner: OwnerView, of_consumer: ConsumerView | None) -> None:
    found = diagnosis(of_owner, of_consumer)
    result = found
    visible = of_consumer is not None and of_consumer.image is not None
    assert (result["level"] is not None) == visible
    if result["level"] == "visible":
        assert result["can_launch"] == "no"
    if result["can_launch"] == "yes" and of_consumer is not None:
        assert result["level"] == "authorized"


def test_a_denied_launch_names_the_policy_that_denies() -> None:
    def remedy(why: str) -> str:
        seen = consumer(dry_run=("UnauthorizedOperation", f"You may not {why}."))
        (found,) = diagnosis(owner(), seen)["findings"]
        return found["remedy"]

    by_scp = remedy("with an explicit deny in a service control policy")
    assert by_scp.startswith("Change the service control policy of the account's organization")
    assert by_scp.endswith("If it requires tags of launches, set launch_tags.")
    assert remedy("because no identity-based policy allows the action").startswith("Allow ec2:RunInstances")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("UnauthorizedOperation", "Allow the role ec2:GetAllowedImagesSettings: Allowed AMIs may hide it."),
        ("WebPage", "Allowed AMIs may hide it, and could not be read: A web page. Check the proxy."),
    ],
)
def test_why_it_is_not_known_whether_an_image_is_hidden(code: str, remedy: str) -> None:
    problem = Failure("A web page.", "Check the proxy.", code, "GetAllowedImagesSettings")
    (found,) = diagnosis(owner(), ConsumerView(allowed_images_problem=problem))["findings"]
    assert found["code"] == "not_visible"
    assert found["remedy"].endswith(remedy)


def test_a_dry_run_without_an_answer_keeps_that_the_image_is_visible() -> None:
    problem = Failure("Read timeout.", "Check the network.", "ReadTimeoutError", "RunInstances", source="sdk")
    found = diagnosis(owner(), consumer(dry_run=None, dry_run_problem=problem))
    (finding,) = found["findings"]
    assert (finding["code"], finding["remedy"], finding["error_code"]) == (
        "dry_run_inconclusive",
        "Check the network.",
        "ReadTimeoutError",
    )
    assert finding["message"].endswith("is unknown: Read timeout.")
    assert (found["level"], found["can_launch"]) == ("visible", "unknown")


NO_VPC = ("VPCIdNotSpecified", "No default VPC for this user.")
IN_TWO = ("subnet-1", "subnet-2")


def test_an_account_without_a_subnet_can_launch_nothing() -> None:
    found = diagnosis(owner(), consumer(dry_run=NO_VPC, subnet_ids=()))
    (finding,) = found["findings"]
    assert (codes(found), found["level"]) == ([("missing_subnet", B)], "visible")
    begins = f"Account {found['account_id']} has no available subnet in eu-west-1, neither"
    assert finding["message"].startswith(begins)
    assert finding["remedy"].startswith("Create a subnet in that region, or share one with the account")
    assert finding["error_code"] == "VPCIdNotSpecified"


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("because no identity-based policy allows it", "Allow ec2:DescribeSubnets in the IAM policy of role"),
        ("with an explicit deny in a service control policy", "Change the service control policy of the"),
    ],
)
def test_subnets_that_may_not_be_read_have_a_remedy(message: str, remedy: str) -> None:
    problem = Failure(f"It may not, {message}.", "Ask.", "UnauthorizedOperation", "DescribeSubnets")
    found = diagnosis(owner(), consumer(dry_run=NO_VPC, subnets_problem=problem))
    (finding,) = found["findings"]
    assert (codes(found), found["level"]) == ([("dry_run_inconclusive", U)], "visible")
    assert (
        "the account has no default VPC there, and its subnets cannot be read: It may" in finding["message"]
    )
    assert finding["remedy"].startswith(remedy)
    assert finding["remedy"].endswith(" Or set a subnet of that account and region (subnet_ids).")
    assert finding["error_code"] == "UnauthorizedOperation"


def test_subnets_that_could_not_be_read_have_the_remedy_for_that() -> None:
    problem = Failure("Read timeout.", "Check the network.", "ReadTimeoutError", "DescribeSubnets")
    (finding,) = diagnosis(owner(), consumer(dry_run=NO_VPC, subnets_problem=problem))["findings"]
    assert finding["remedy"].startswith("Check the network. Or set a subnet")


@pytest.mark.parametrize(
    ("subnet_ids", "resource", "expected"),
    [
        pytest.param(IN_TWO, " on resource: arn:aws:ec2:eu-west-1:1:subnet/subnet-1", U, id="of the subnet"),
        pytest.param(IN_TWO, " on resource: arn:aws:ec2:eu-west-1:1:security-group/sg-1", U, id="of a group"),
        pytest.param(IN_TWO, "", U, id="of something"),
        pytest.param(IN_TWO, " on resource: arn:aws:ec2:eu-west-1:1:instance/*", B, id="of any launch"),
        pytest.param(IN_TWO, " on resource: arn:aws:ec2:eu-west-1::image/ami-1", B, id="of the image"),
        pytest.param(None, " on resource: arn:aws:ec2:eu-west-1:1:subnet/subnet-1", B, id="in a set subnet"),
        pytest.param(None, "", B, id="of something in a set subnet"),
    ],
)
def test_a_launch_in_a_chosen_subnet_may_be_denied_there_only(
    subnet_ids: tuple[str, ...] | None, resource: str, expected: str
) -> None:
    denied = ("UnauthorizedOperation", f"You are not authorized to perform ec2:RunInstances{resource}.")
    found = diagnosis(owner(), consumer(dry_run=denied, subnet_ids=subnet_ids))
    (finding,) = found["findings"]
    assert codes(found) == [("launch_denied", expected)]
    assert ("eu-west-1 (subnet-1, subnet-2): You are" in finding["message"]) is bool(subnet_ids)
    assert finding["remedy"].endswith("only, set these (subnet_ids, security_group_ids).") is bool(subnet_ids)


def test_the_other_findings_name_the_chosen_subnets_too() -> None:
    for code in ("Unsupported", "InvalidAMIID.Unavailable"):
        (finding,) = diagnosis(owner(), consumer(dry_run=(code, "No."), subnet_ids=IN_TWO))["findings"]
        assert "in eu-west-1 (subnet-1, subnet-2)" in finding["message"]
    problem = Failure("Read timeout.", "Check.", "ReadTimeoutError", "RunInstances")
    seen = consumer(dry_run=None, dry_run_problem=problem, subnet_ids=IN_TWO[:1])
    (finding,) = diagnosis(owner(), seen)["findings"]
    assert finding["message"].endswith("in eu-west-1 (subnet-1) is unknown: Read timeout.")
    accepted = consumer(subnet_ids=IN_TWO)
    assert diagnosis(owner(), accepted)["can_launch"] == "yes"
