# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account can launch an image by the parameter of the image's owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    ConsumerView,
    ParameterContent,
    ParameterRead,
    ParameterView,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._parameter_share import Association, ResourceShare

from tests.unit.diagnose import accounts
from tests.unit.diagnose.accounts import EU, OTHER_ID, Accounts, called, failures, run
from tests.unit.diagnose.examples import IMAGE, codes, consumer, diagnosed, owner, seen
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER

NAME = "/golden/web"
ARN = f"arn:aws:ssm:eu-west-1:{OWNER}:parameter/golden/web"
SHARE = "arn:aws:ram:eu-west-1:111122223333:resource-share/1"
B, U = "blocking", "unknown"
THIS, OTHER = ParameterContent(IMAGE.image_id), ParameterContent(OTHER_ID)
READ = ParameterRead(THIS)
TIMEOUT = Failure("No answer.", "Rerun.", "ReadTimeoutError", "GetParameters")


def refused(reason: str) -> ParameterRead:
    """AWS denies the read for this reason."""
    message = f"User: x is not authorized to perform: ssm:GetParameters on resource: {ARN}{reason}"
    return ParameterRead(refusal=Failure(message, "", "AccessDeniedException", "GetParameters"))


NOTHING, UNSHARED = ParameterRead(), refused(" because no resource-based policy allows the action")
BY_IAM = refused(" because no identity-based policy allows the ssm:GetParameters action")
BY_SCP = refused(" with an explicit deny in a service control policy")
DENIED = refused("")


def share(*principals: str, status: str = "ASSOCIATED", resource: str = "ASSOCIATED") -> ResourceShare:
    return ResourceShare(
        SHARE,
        "golden-images-web",
        resources=(Association(ARN, resource),),
        principals=tuple(Association(one, status, is_external=one == STRANGER) for one in principals),
    )


def view(*shares: ResourceShare, **changes: Any) -> ParameterView:
    return replace(ParameterView(NAME, ARN, THIS, shares), **changes)


def found(
    of_owner: ParameterView, read: ParameterRead | None = None, account_id: str = CONSUMER
) -> dict[str, Any]:
    """The result for an account that sees the image; without a read it was not checked."""
    of_consumer = None if read is None else consumer(parameter=read)
    launch = owner().launch
    assert launch is not None
    state = seen(
        owner(launch=replace(launch, account_ids=launch.account_ids | {account_id}), parameter=of_owner),
        of_consumer,
        account_id=account_id,
    )
    (result,) = diagnosed(state, account_ids=[account_id], parameter=NAME)["results"]
    result["findings"] = [one for one in result["findings"] if "parameter" in one["code"]]
    return dict(result)


SHARED, TO_ORG, TO_ROLE = (
    view(share(CONSUMER)),
    view(share(ORG)),
    view(share(f"arn:aws:iam::{CONSUMER}:role/web")),
)
UNREAD = view(problem=Failure("No.", "Let it.", "AccessDeniedException", "GetResourceShareAssociations"))
NO_SHARE = view(tier="Advanced")


@pytest.mark.parametrize(
    ("of_owner", "read", "expected"),
    [
        pytest.param(SHARED, None, None, id="shared, not asked"),
        pytest.param(SHARED, READ, None, id="read"),
        # The account's own read is the call of a launch: it decides.
        pytest.param(NO_SHARE, READ, None, id="read, though the owner sees no share"),
        pytest.param(UNREAD, READ, None, id="read, though the owner cannot read the shares"),
        pytest.param(ParameterView(NAME, ARN), READ, None, id="read, though the owner sees no parameter"),
        pytest.param(SHARED, ParameterRead(OTHER), ("parameter_names_other_image", B), id="another image"),
        pytest.param(ParameterView(NAME, ARN), None, ("parameter_not_found", B), id="none"),
        pytest.param(ParameterView(NAME, ARN), NOTHING, ("parameter_not_found", B), id="none, asked"),
        pytest.param(
            view(share(CONSUMER), content=OTHER), None, ("parameter_names_other_image", B), id="old"
        ),
        pytest.param(NO_SHARE, None, ("parameter_not_shared", B), id="no share"),
        pytest.param(view(share(STRANGER)), UNSHARED, ("parameter_not_shared", B), id="another's share"),
        pytest.param(NO_SHARE, DENIED, ("parameter_not_shared", B), id="no share, and denied"),
        pytest.param(view(tier="Standard"), None, ("parameter_not_advanced", B), id="tier"),
        pytest.param(
            view(share(CONSUMER, status="SUSPENDED")),
            NOTHING,
            ("parameter_share_incomplete", B),
            id="suspended",
        ),
        pytest.param(
            view(share(CONSUMER, resource="ASSOCIATING")),
            None,
            ("parameter_share_incomplete", B),
            id="being added",
        ),
        pytest.param(
            view(share(CONSUMER, status="DISASSOCIATED")), None, ("parameter_not_shared", B), id="gone"
        ),
        pytest.param(TO_ORG, None, ("parameter_access_unknown", U), id="organization, not asked"),
        pytest.param(TO_ORG, READ, None, id="organization, read"),
        pytest.param(TO_ORG, UNSHARED, ("outside_parameter_share", B), id="outside of the organization"),
        pytest.param(TO_ORG, NOTHING, ("outside_parameter_share", B), id="outside, no value"),
        pytest.param(TO_ROLE, None, ("parameter_access_unknown", U), id="a role, not asked"),
        pytest.param(TO_ORG, BY_IAM, ("parameter_read_denied", B), id="organization, IAM"),
        pytest.param(SHARED, BY_IAM, ("parameter_read_denied", B), id="IAM"),
        pytest.param(SHARED, BY_SCP, ("parameter_read_denied", B), id="service control policy"),
        pytest.param(SHARED, UNSHARED, ("parameter_not_visible", B), id="not propagated"),
        pytest.param(SHARED, DENIED, ("parameter_not_visible", B), id="denied for no known reason"),
        pytest.param(SHARED, ParameterRead(problem=TIMEOUT), ("parameter_unreadable", U), id="no answer"),
        pytest.param(UNREAD, None, ("parameter_unreadable", U), id="shares not readable"),
        pytest.param(UNREAD, UNSHARED, ("parameter_unreadable", U), id="shares not readable, refused"),
    ],
)
def test_what_keeps_an_account_from_the_parameter(
    of_owner: ParameterView, read: ParameterRead | None, expected: tuple[str, str] | None
) -> None:
    result = found(of_owner, read)
    assert codes(result) == ([expected] if expected else [])
    is_read = read is not None and read.content == THIS
    assert result["parameter_read"] is (None if read is None else is_read)
    assert result["level"] == (None if read is None else "authorized" if is_read else "visible")
    effects = {None: "yes", B: "no", U: "unknown"}
    assert result["can_launch"] == effects[expected[1] if expected else None]


def test_an_invitation_that_is_not_accepted_is_named_with_its_share() -> None:
    (finding,) = found(view(share(STRANGER, status="ASSOCIATING")), account_id=STRANGER)["findings"]
    assert finding["code"] == "parameter_invitation_pending"
    assert f"--resource-share-arns {SHARE}" in finding["remedy"]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (UNSHARED, ("parameter_invitation_pending", B)),
        (NOTHING, ("parameter_invitation_pending", B)),
        (BY_SCP, ("parameter_read_denied", B)),
        (READ, None),
        (None, ("parameter_access_unknown", U)),
    ],
)
def test_who_is_invited_beside_an_organization_has_to_accept(
    read: ParameterRead | None, expected: tuple[str, str] | None
) -> None:
    both = view(share(ORG), share(STRANGER, status="ASSOCIATING"))
    assert codes(found(both, read, STRANGER)) == ([expected] if expected else [])


def test_a_denial_of_iam_and_an_unread_share_are_both_found() -> None:
    assert codes(found(UNREAD, BY_IAM)) == [("parameter_unreadable", U), ("parameter_read_denied", B)]


def test_the_owner_needs_no_share() -> None:
    assert found(view(), READ, OWNER)["parameter_read"] is True
    assert codes(found(view(), BY_IAM, OWNER)) == [("parameter_read_denied", B)]


def test_the_parameter_of_another_owner_is_unknown_and_not_missing() -> None:
    of_other = owner(image=replace(IMAGE, owner_id=STRANGER), launch=None, parameter=ParameterView(NAME, ARN))
    (result,) = diagnosed(seen(of_other, consumer(parameter=NOTHING)), parameter=NAME)["results"]
    assert codes(result) == [("not_owner", "harmless"), ("parameter_unreadable", U)]
    assert f"of account {STRANGER} is unknown" in result["findings"][1]["message"]


def test_what_the_parameter_has_is_not_displayed_unless_it_is_an_image() -> None:
    secret = view(share(CONSUMER), content=ParameterContent(obstacle="is of the type SecureString"))
    (finding,) = found(secret)["findings"]
    assert (finding["code"], "SecureString" in finding["message"]) == ("parameter_names_other_image", True)


def test_an_account_that_could_not_be_checked_proves_nothing() -> None:
    state = seen(owner(parameter=SHARED), ConsumerView(problem=TIMEOUT))
    (result,) = diagnosed(state, parameter=NAME)["results"]
    assert (result["parameter_read"], codes(result)) == (None, [("consumer_unreadable", U)])


VALUE = {"Name": NAME, "Value": SOURCE_ID, "Version": 1, "Type": "String", "DataType": "aws:ec2:image"}


def associations(request: Any) -> Any:
    kind = request["associationType"]
    entity = ARN if kind == "RESOURCE" else CONSUMER
    one = {"associatedEntity": entity, "status": "ASSOCIATED", "resourceShareArn": SHARE}
    return {"resourceShareAssociations": [one]}


def published(**answers: Any) -> Accounts:
    """The owner of a parameter that is shared with the account, which sees the image."""
    given = {
        "get_parameter": {"Parameter": VALUE},
        "get_resource_share_associations": associations,
        **answers,
    }
    return accounts.owner(**given)


def test_the_owner_and_the_account_read_the_parameter_by_its_arn() -> None:
    aws = published()
    account = accounts.consumer(aws, get_parameters={"Parameters": [VALUE]})
    done = run(aws, parameter=NAME)
    (result,) = done.results
    assert (result["findings"], result["parameter_read"], result["level"]) == ([], True, "authorized")
    assert called(aws, "get_parameter") == [{"Name": ARN}]
    assert called(account, "get_parameters") == [{"Names": [ARN]}]
    assert {service for service, _regions in aws.opened} >= {"ram", "ssm"}
    # Without the option, neither is read.
    aws.calls.clear()
    account.calls.clear()
    (without,) = run(aws).results
    assert (without["parameter_read"], called(aws, "get_parameter")) == (None, [])
    assert called(account, "get_parameters") == []


def test_an_account_with_its_own_image_reads_its_own_parameter() -> None:
    aws = accounts.owner()
    own = accounts.shown(OwnerId=CONSUMER)
    account = accounts.consumer(
        aws,
        describe_images=own,
        get_parameter={"Parameter": VALUE},
        get_parameter_history={"Parameters": [{"Version": 1}]},
        get_parameters={"Parameters": [VALUE]},
    )
    copies = [{"account_id": CONSUMER, "region": EU, "image_id": SOURCE_ID}]
    (result,) = run(aws, images=copies, parameter=NAME).results
    assert (codes(result), result["parameter_read"]) == ([], True)
    assert called(account, "get_parameters") == [{"Names": [ARN.replace(OWNER, CONSUMER)]}]
    # It needs no share, also where it cannot read the parameter.
    account.answers["get_parameters"] = {"InvalidParameters": [ARN]}
    (result,) = run(aws, images=copies, parameter=NAME).results
    assert codes(result) == [("parameter_not_visible", B)]


def test_the_tier_is_read_of_a_parameter_that_nobody_has() -> None:
    aws = published(
        get_resource_share_associations="UnknownResourceException",
        get_parameter_history={"Parameters": [{"Version": 1, "Tier": "Advanced"}, {"Version": 2}]},
    )
    (result,) = run(aws, parameter=NAME, consumer_role_name=None).results
    assert codes(result) == [("parameter_not_advanced", B)]
    assert called(aws, "get_parameter_history") == [{"Name": NAME}]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param({"get_parameter": "AccessDeniedException"}, "GetParameter", id="the parameter"),
        pytest.param(
            {"get_resource_share_associations": "AccessDeniedException"},
            "GetResourceShareAssociations",
            id="its shares",
        ),
        pytest.param(
            {
                "get_resource_share_associations": {"resourceShareAssociations": []},
                "get_parameter_history": "InternalServerError",
            },
            "GetParameterHistory",
            id="its tier",
        ),
    ],
)
def test_what_the_owner_cannot_read_fails_unless_the_account_reads_the_image(
    answers: dict[str, Any], expected: str
) -> None:
    aws = published(**answers)
    account = accounts.consumer(aws, get_parameters={"InvalidParameters": [ARN]})
    done = run(aws, parameter=NAME)
    assert codes(done.results[0]) == [("parameter_unreadable", U)]
    assert [(action, region) for action, region, _code in failures(done)] == [(expected, EU)]
    account.answers["get_parameters"] = {"Parameters": [VALUE]}
    done = run(aws, parameter=NAME)
    assert (codes(done.results[0]), failures(done)) == ([], [])


def test_an_account_that_gets_no_answer_fails_the_task() -> None:
    aws = published()
    accounts.consumer(aws, get_parameters="InternalServerError")
    done = run(aws, parameter=NAME)
    assert failures(done) == [("GetParameters", EU, "InternalServerError")]
    assert codes(done.results[0]) == [("parameter_unreadable", U)]
    # The findings that fail a task do not name it again.
    assert len(run(aws, parameter=NAME, fail_on="unknown").plan.failures) == 1


def test_the_name_of_the_parameter_is_checked() -> None:
    found_here = diagnosed(seen(owner()), parameter="golden/web")
    assert (found_here["failed"], "Begin it with a /" in found_here["msg"]) == (True, True)
