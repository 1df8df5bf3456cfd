# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a lifecycle policy of Image Builder retires, and which are kept because that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageBuild,
    ImageBuilder,
    LifecyclePolicy,
    Recipe,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef

from tests.unit.cleanup.examples import (
    FAMILY,
    NEW_IMAGE,
    OLD_ID,
    OLD_IMAGE,
    REGION,
    Run,
    kinds,
    own,
    planned,
    region_state,
    seen,
)
from tests.unit.examples import OWNER, STRANGER

HOME = "us-west-2"
REF = ImageRef(REGION, "ami-1")
BY_RECIPE = LifecyclePolicy((Recipe("web", "1.x.x"),))
DENIED = Evidence.unreadable("ListLifecyclePolicies", "AccessDeniedException: No.")


def tags(account_id: str = OWNER, **more: str) -> dict[str, str]:
    """The tags of an image of the family ``web`` that Image Builder built."""
    arn = f"arn:aws:imagebuilder:{HOME}:{account_id}:image/web/1.0.0/1"
    return {**FAMILY, "CreatedBy": "EC2 Image Builder", "Ec2ImageBuilderArn": arn, **more}


def saw(image_builder: dict[str, ImageBuilder] | None = None, **changes: Any) -> CleanupState:
    """An image of Image Builder from before two other images of its family, and Image Builder."""
    built = own("ami-1", 3, **{"tags": tags(), **changes})
    state = region_state(built, own("ami-2", 2), own("ami-3", 1))
    return replace(seen(state), image_builder=image_builder or {})


def builder(*policies: LifecyclePolicy, images: tuple[ImageRef, ...] = (REF,)) -> dict[str, ImageBuilder]:
    build = ImageBuild("web", "1.0.0/1", {"team": "a"}, images)
    return {HOME: ImageBuilder(policies, (build,))}


def test_images_of_image_builder_can_be_retired_like_all_others() -> None:
    assert kinds(saw(), include_image_builder=True) == kinds(saw(tags=FAMILY))


def test_an_image_that_a_policy_retires_is_neither_retired_nor_the_latest() -> None:
    given = saw(builder(BY_RECIPE, images=(ImageRef(REGION, "ami-3"),)))
    assert kinds(given) == {"ami-1": "deregister", "ami-2": "keep"}


@pytest.mark.parametrize(
    "found",
    [
        {HOME: ImageBuilder()},
        builder(LifecyclePolicy((Recipe("db", "x.x.x"),))),
        builder(BY_RECIPE, images=(ImageRef("us-east-1", "ami-1"),)),
    ],
)
def test_an_image_to_which_no_policy_applies_is_one_like_all_others(found: dict[str, ImageBuilder]) -> None:
    given = saw(found)
    assert kinds(given) == {"ami-1": "deregister", "ami-2": "deregister", "ami-3": "keep"}


@pytest.mark.parametrize(
    ("found", "changes", "detail"),
    [
        ({HOME: ImageBuilder(unread=DENIED)}, {}, "AccessDeniedException: No."),
        ({HOME: ImageBuilder()}, {"tags": tags(STRANGER)}, f"EC2 Image Builder of account {STRANGER}"),
        ({}, {"tags": {**FAMILY, "Ec2ImageBuilderArn": "web"}}, "EC2 Image Builder of an unknown account"),
    ],
)
def test_an_image_whose_policies_are_not_known_is_kept(
    found: dict[str, ImageBuilder], changes: dict[str, Any], detail: str
) -> None:
    given = saw(found, **changes)
    (decision,) = (one for one in planned(given).decisions if one.ref == REF)
    assert (decision.kind, decision.reasons) == ("keep", ())
    (evidence,) = decision.evidence
    assert (evidence.subject, evidence.firm) == ("ListLifecyclePolicies", False)
    assert evidence.detail.startswith(detail)
    # It may be retired by a policy, so it takes the place of no other.
    newest = saw(found, **changes)
    newest = replace(
        newest,
        regions={
            REGION: region_state(own("ami-1", 0, tags=tags(STRANGER)), own("ami-2", 2), own("ami-3", 1))
        },
    )
    assert kinds(newest) == {"ami-1": "keep", "ami-2": "deregister", "ami-3": "keep"}


def test_a_copy_by_this_collection_is_no_output_of_image_builder() -> None:
    copied = tags(**{"golden.images:source": "us-west-2/ami-0"})
    given = saw({HOME: ImageBuilder(unread=DENIED)}, tags=copied)
    assert kinds(given)["ami-1"] == "deregister"


PLACE = f"arn:aws:imagebuilder:eu-west-1:{OWNER}"
MADE = [*OLD_IMAGE["Tags"], {"Key": "Ec2ImageBuilderArn", "Value": f"{PLACE}:image/web/1.0.0/1"}]
DELETES = {"type": "DELETE"}
COUNT = {"type": "COUNT", "value": 3}
AMIS = [
    {"region": "eu-west-1"},
    {"region": "us-east-1", "image": "ami-2"},
    {"region": "eu-west-1", "image": OLD_ID, "accountId": OWNER},
]


def details(**included: bool) -> list[dict[str, Any]]:
    """The rules of a policy, of which the second is about these resources, if about any in particular."""
    action = {**DELETES, "includeResources": included} if included else DELETES
    return [{"action": DELETES, "filter": COUNT}, {"action": action, "filter": COUNT}]


def policies(**found: Any) -> dict[str, Any]:
    """Policies by name, or the code with which AWS refuses to return one."""
    arns = {f"{PLACE}:lifecycle-policy/{name}": answer for name, answer in found.items()}

    def policy(request: Any) -> Any:
        answer = arns[request["lifecyclePolicyArn"]]
        return answer if isinstance(answer, str) else {"lifecyclePolicy": answer}

    listed = {"lifecyclePolicySummaryList": [{"arn": arn} for arn in arns]}
    return {"list_lifecycle_policies": listed, "get_lifecycle_policy": policy}


def builds(*amis: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The build of the image, on the second page."""
    build = {
        "name": "web-server-1",
        "version": "1.2.3/4",
        "tags": {"team": "web"},
        "outputResources": {"amis": list(amis or AMIS)},
        **members,
    }
    pages = [{"imageSummaryList": [{}], "nextToken": "2"}, {"imageSummaryList": [build]}]
    return {"list_image_build_versions": pages}


def by_recipe(name: str, version: str) -> dict[str, Any]:
    recipes = {"recipes": [{"name": "other", "semanticVersion": "x.x.x"}]}
    recipes["recipes"].append({"name": name, "semanticVersion": version})
    return {"policyDetails": details(amis=True), "resourceSelection": recipes}


def by_tag(**tags: str) -> dict[str, Any]:
    return {"policyDetails": details(amis=True), "resourceSelection": {"tagMap": tags}}


APPLIES = by_recipe("Web_Server 1", "x.2.3")


def built(**answers: Any) -> Run:
    """A run where Image Builder has built the older image."""
    return Run(describe_images={"Images": [{**OLD_IMAGE, "Tags": MADE}, NEW_IMAGE]}, **answers)


def is_left_to_image_builder(run: Run) -> bool:
    return OLD_ID not in [one["image_id"] for one in run.result["results"]]


@pytest.mark.parametrize(
    ("answers", "applies"),
    [
        pytest.param({**policies(), **builds()}, False, id="no policy"),
        pytest.param({**policies(one=APPLIES), **builds()}, True, id="by recipe"),
        pytest.param({**policies(one=by_recipe("Web_Server 1", "1.2.4")), **builds()}, False, id="version"),
        pytest.param({**policies(one=by_recipe("Web_Server", "1.2.3")), **builds()}, False, id="name"),
        pytest.param({**policies(one=by_recipe("Web_Server 1", "1.2.30")), **builds()}, False, id="longer"),
        pytest.param({**policies(one=by_tag(other="x", team="web")), **builds()}, True, id="by tag"),
        pytest.param({**policies(one=by_tag(team="db")), **builds()}, False, id="another tag"),
        pytest.param(
            {**policies(one={"policyDetails": details(amis=True)}), **builds()}, False, id="nothing"
        ),
        # botocore shape LifecyclePolicyDetailAction, includeResources.
        pytest.param(
            {**policies(one={**APPLIES, "policyDetails": details()}), **builds()}, False, id="not for AMIs"
        ),
        pytest.param(
            {**policies(one={**APPLIES, "policyDetails": details(amis=False)}), **builds()},
            False,
            id="for other resources",
        ),
        pytest.param(
            {**policies(one={"policyDetails": details()}, two=APPLIES), **builds()}, True, id="the second"
        ),
        # botocore shape ResourceNotFoundException.
        pytest.param(
            {**policies(gone="ResourceNotFoundException", one=APPLIES), **builds()}, True, id="one is deleted"
        ),
        pytest.param(
            {**policies(one=APPLIES), **builds({"region": "us-east-1", "image": OLD_ID})},
            False,
            id="elsewhere",
        ),
        pytest.param(
            {
                **policies(one=APPLIES),
                **builds({"region": "eu-west-1", "image": OLD_ID, "accountId": STRANGER}),
            },
            False,
            id="of another account",
        ),
    ],
)
def test_an_image_is_left_to_the_policy_of_image_builder_that_applies_to_it(
    answers: dict[str, Any], applies: bool
) -> None:
    run = built(**answers)
    assert is_left_to_image_builder(run) is applies
    assert applies or run.decision == "deregister"


def test_only_enabled_policies_for_amis_are_read_and_builds_only_where_there_is_one() -> None:
    run = built(**policies(), **builds())
    filters = [
        {"name": "status", "values": ["ENABLED"]},
        {"name": "resourceType", "values": ["AMI_IMAGE"]},
    ]
    of_builder = [one for one in run.clients.calls if "lifecycle" in one[0] or "build_versions" in one[0]]
    assert of_builder == [("list_lifecycle_policies", {"filters": filters, "maxResults": 100})]


@pytest.mark.parametrize(
    ("answers", "action", "detail"),
    [
        ({"list_lifecycle_policies": "AccessDenied"}, "ListLifecyclePolicies", "AccessDenied: No."),
        (
            {**policies(one=APPLIES), "list_image_build_versions": "AccessDenied"},
            "ListImageBuildVersions",
            "AccessDenied: No.",
        ),
        (
            {"list_lifecycle_policies": {"lifecyclePolicySummaryList": [{}]}},
            "ListLifecyclePolicies",
            "incomplete_response: AWS's response to ",
        ),
        (
            {**policies(one=APPLIES), "get_lifecycle_policy": {}},
            None,
            "incomplete_response: AWS's response to ",
        ),
        (
            {**policies(one=APPLIES), **builds({"image": OLD_ID})},
            None,
            "incomplete_response: AWS's response to ",
        ),
    ],
)
def test_what_image_builder_does_not_show_keeps_the_image(
    answers: dict[str, Any], action: str | None, detail: str
) -> None:
    run = built(**answers)
    (evidence,) = run.of()["evidence"]
    assert (run.decision, evidence["kind"]) == ("keep", "unreadable")
    assert evidence["detail"].startswith(detail)
    assert action in (None, evidence["subject"])
    assert run.unreadable == [evidence["subject"]]


@pytest.mark.parametrize(
    ("made", "options", "reads"),
    [
        pytest.param(tags(), {}, True, id="built here"),
        pytest.param(tags(), {"include_image_builder": True}, False, id="policies do not matter"),
        pytest.param(FAMILY, {}, False, id="not built"),
        pytest.param(tags(STRANGER), {}, False, id="built in another account"),
        pytest.param({**FAMILY, "Ec2ImageBuilderArn": "web"}, {}, False, id="another tag of the user"),
        pytest.param(tags(**{"golden.images:source": "eu-west-1/ami-0"}), {}, False, id="copied"),
    ],
)
def test_policies_are_read_where_own_images_were_built(
    made: dict[str, str], options: dict[str, Any], reads: bool
) -> None:
    tagged = [{"Key": key, "Value": value} for key, value in made.items()]
    run = Run(options, describe_images={"Images": [{**OLD_IMAGE, "Tags": tagged}, NEW_IMAGE]})
    assert ("list_lifecycle_policies" in [name for name, _request in run.clients.calls]) is reads


def test_a_bug_ends_the_reading() -> None:
    with pytest.raises(ValidationError):
        built(list_lifecycle_policies=KeyError("x"))
