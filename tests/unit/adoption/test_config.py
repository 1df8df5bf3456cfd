# SPDX-License-Identifier: GPL-3.0-or-later

"""What an aggregator of AWS Config shows without a role in any account, and what it is said not to show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.config import (
    COUNT,
    COUNTS,
    list_images,
    list_queries,
    list_unrecorded,
    look_at_config,
    report_organizations,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.content import (
    build_content,
    remember,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._adoption.plan import plan, sum_up
from ansible_collections.golden.images.plugins.module_utils._adoption.result import build_result
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    CONFIG,
    AdoptionState,
    Recorded,
    RecordedInstance,
    Source,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Target

from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    MIDDLE,
    NEW,
    NEW_US,
    NOW,
    OLD,
    OTHER_CONSUMER,
    OWNER,
    US,
    ago,
    catalog,
    options,
    three_releases,
)
from tests.unit.cleanup.aws_answers import Answers
from tests.unit.diagnose.accounts import Accounts

NAME, REGIONS = "organization", (EU, US)
HERE, THERE = Target(CONSUMER, EU), Target(CONSUMER, US)
GOOD, FAILED = Source("SUCCEEDED"), Source("FAILED", "AccessDenied: No authorization.")


def given(**changes: Any) -> Any:
    """The options for the aggregator."""
    return options(**{"depth": CONFIG, "config_aggregator": NAME, "account_ids": (), **changes})


def instance(ref: ImageRef = OLD, account_id: str = CONSUMER, **changes: Any) -> RecordedInstance:
    """A recorded instance of an image."""
    return replace(
        RecordedInstance(Target(account_id, ref.region), ref, "i-1", ago(days=3), ago(hours=5)), **changes
    )


def state(
    *instances: RecordedInstance,
    sources: Mapping[Target, Source] | None = None,
    numbers: Mapping[Target, int] | None = None,
    account_ids: tuple[str, ...] = (),
    images: Any = None,
    **chosen: Any,
) -> AdoptionState:
    """The state, by default with both regions of an account as sources with instances."""
    released = catalog(images, **chosen)
    recorded = Recorded(
        NAME,
        {HERE: GOOD, THERE: GOOD} if sources is None else sources,
        numbers={HERE: 5, THERE: 1} if numbers is None else numbers,
        instances=instances,
    )
    looks = look_at_config(released, recorded, account_ids, REGIONS)
    return AdoptionState(NOW, released, looks, recorded=recorded)


def statuses(current: AdoptionState, **chosen: Any) -> dict[str, str]:
    """The status of each account."""
    judged = plan(given(**chosen), current).judged
    return {account.account_id: account.status for account in sum_up(current, judged, CONFIG)}


def test_recorded_instances_are_uses_like_those_that_are_read_in_the_account() -> None:
    found = state(
        instance(owners=("Owner=web",)),
        instance(instance_id="i-2", launched=ago(days=9)),
        instance(NEW_US, instance_id="i-3"),
    )
    (old,) = found.looks[HERE].uses
    assert (old.use.kind, old.use.number, old.use.names) == ("instance", 2, ("i-1", "i-2"))
    assert (old.use.oldest, old.use.owners) == (ago(days=9), ("Owner=web",))
    assert old.release is not None
    assert old.release.ref == OLD
    assert statuses(found) == {CONSUMER: "behind"}
    assert statuses(state(instance(NEW))) == {CONSUMER: "current"}


@pytest.mark.parametrize(
    ("source", "number", "status", "unread"),
    [
        (GOOD, 5, "unreported", []),
        # Nothing shows whether instances are recorded there: it is not known, and no failure.
        (GOOD, 0, "unreported", []),
        # It has data of that account and region, whatever the list of sources says.
        (None, 5, "unreported", []),
        (None, 0, "unreadable", [EU]),
        (FAILED, 0, "unreadable", [EU]),
        (FAILED, 5, "unreadable", [EU]),
        (Source("OUTDATED"), 5, "unreadable", [EU]),
        (Source("unknown"), 5, "unreadable", [EU]),
    ],
)
def test_an_account_without_a_recorded_use_is_never_unused(
    source: Source | None, number: int, status: str, unread: list[str]
) -> None:
    sources = {THERE: GOOD, **({HERE: source} if source else {})}
    current = state(sources=sources, numbers={THERE: 1, **({HERE: number} if number else {})})
    (account,) = sum_up(current, plan(given(), current).judged, CONFIG)
    assert (account.status, list(account.unread)) == (status, unread)
    failures = plan(given(), current).failures
    assert [failure.error_code for failure in failures] == ["config_not_aggregated"] * len(unread)
    assert all(EU in failure.message and failure.remedy for failure in failures)


def test_a_use_in_an_outdated_region_is_shown_and_the_rest_is_not_known() -> None:
    current = state(instance(), sources={HERE: FAILED, THERE: FAILED})
    assert statuses(current) == {CONSUMER: "behind"}
    (failure,) = plan(given(), current).failures
    assert failure.message == (
        f"The aggregator {NAME} does not show account {CONSUMER} in {EU}, {US}: AWS calls its data FAILED "
        "(AccessDenied: No authorization.)."
    )
    assert (failure.account_id, failure.region) == (CONSUMER, None)


def test_a_named_account_that_is_no_source_is_unreadable_and_others_are_left_out() -> None:
    current = state(instance(), account_ids=(OTHER_CONSUMER,))
    assert statuses(current) == {OTHER_CONSUMER: "unreadable"}
    (failure,) = plan(given(), current).failures
    assert "it is none of its sources" in failure.message


def test_accounts_of_an_organization_need_not_be_listed() -> None:
    """Then only those with instances are known, and no place without one is a failure."""
    current = state(instance(), sources={}, numbers={HERE: 1})
    assert statuses(current) == {CONSUMER: "behind"}
    assert plan(given(), current).failures == ()
    assert current.recorded is not None
    assert list_unrecorded(current.recorded, current.looks) == (THERE,)
    failed = Recorded(NAME, organizations=(("o-1", FAILED), ("o-1", GOOD)))
    (failure,) = report_organizations(failed, OWNER)
    assert "may lack accounts of o-1" in failure.message


def test_what_the_report_does_not_cover_is_said() -> None:
    elsewhere = {Target(OTHER_CONSUMER, EU): GOOD, Target(OTHER_CONSUMER, US): GOOD}
    sources = {HERE: GOOD, THERE: GOOD, **elsewhere}
    current = state(instance(), sources=sources, numbers={HERE: 1})
    result = build_result(given(), current, plan(given(), current))
    text = " ".join(result["not_looked_at"])
    assert "was recorded 2026-11-24 07:00 UTC." in text
    assert f"no instance of any image in 1 account ({OTHER_CONSUMER}) and 1 region of accounts" in text
    assert f"account {OWNER}, which owns the images (the aggregator does not have it)" in result["limits"]
    assert not any("what AWS Config recorded" in limit for limit in result["limits"])
    content = build_content(given(), result)
    assert "The aggregator has 2 accounts in 2 regions" in content["summary"]
    nothing = state()
    result = build_result(given(), nothing, plan(given(), nothing))
    assert "AWS Config shows no use" in build_content(given(), result)["summary"]
    assert "no instance of any image" not in " ".join(result["not_looked_at"])


def test_denied_images_are_asked_for_whoever_owns_them() -> None:
    denied = ImageRef(EU, "ami-0000ba5e")
    current = state(instance(denied), deny_images=(denied.image_id,))
    assert statuses(current, deny_images=(denied.image_id,)) == {CONSUMER: "behind"}
    assert denied.image_id in list_images(current.catalog, (denied.image_id,))


def test_the_image_that_others_are_copies_of_is_asked_for_even_if_it_is_deregistered() -> None:
    images = {ref: image for ref, image in three_releases().items() if ref != OLD}
    current = state(instance(OLD), images=images)
    assert set(list_images(current.catalog, ())) == {
        *(ref.image_id for ref in images),
        OLD.image_id,
    }
    (use,) = plan(given(), current).judged
    assert (use.withdrawn, use.is_behind) == ("deregistered", True)


def test_a_recorded_use_of_an_image_that_was_deregistered_has_not_gone() -> None:
    """Config is not asked for it any more, unless others are copies of it."""

    def content_of(current: AdoptionState) -> dict[str, Any]:
        return build_content(given(), build_result(given(), current, plan(given(), current)))

    before = {**content_of(state(instance(MIDDLE), instance(OLD))), "written_at": "2026-11-23T00:00:00Z"}
    images = three_releases()
    del images[MIDDLE], images[OLD]
    after = remember(before, content_of(state(instance(NEW), images=images)))
    assert [use["image_id"] for use in after["uncounted"]] == [MIDDLE.image_id]
    assert (after["totals"]["unknown"], after["totals"]["current"]) == (1, 1)
    assert f"The last report showed 1 use of web-2 ({MIDDLE.image_id})" in " ".join(after["not_looked_at"])


def test_queries_are_as_long_as_aws_takes_them() -> None:
    image_ids = [f"ami-{number:017x}" for number in range(300)]
    queries = list(list_queries(image_ids, with_tags=True))
    assert len(queries) == 3
    # (botocore shape Expression.)
    assert max(map(len, queries)) <= 4096
    assert all(any(image_id in query for query in queries) for image_id in image_ids)


IMAGE = {
    "ImageId": OLD.image_id,
    "Name": "web-1",
    "OwnerId": OWNER,
    "State": "available",
    "CreationDate": "2026-01-01T00:00:00.000Z",
    "Tags": [{"Key": "family", "Value": "web"}],
}
ROW: dict[str, Any] = {
    "accountId": CONSUMER,
    "awsRegion": EU,
    "resourceId": "i-1",
    "configurationItemCaptureTime": "2026-11-20T10:00:00.000Z",
    "configuration": {
        "imageId": OLD.image_id,
        "launchTime": "2026-11-19T10:00:00.000Z",
        "state": {"name": "running"},
    },
    "tags": [{"key": "Owner", "value": "web", "tag": "Owner=web"}],
}
STATUS = {
    "SourceId": CONSUMER,
    "SourceType": "ACCOUNT",
    "AwsRegion": EU,
    "LastUpdateStatus": "SUCCEEDED",
}
SOURCES = "describe_configuration_aggregator_sources_status"


def aggregator(*rows: dict[str, Any], sources: Any = None, **answers: Any) -> Accounts:
    """The account with the aggregator, which is the owner's."""

    def select(request: Mapping[str, Any]) -> dict[str, Any]:
        if request["Expression"] == COUNTS:
            return {"Results": [json.dumps({COUNT: 7, "accountId": CONSUMER, "awsRegion": EU})]}
        return {"Results": [json.dumps(row) for row in rows]}

    return Accounts(
        **{
            "describe_images": {"Images": [IMAGE]},
            SOURCES: {"AggregatedSourceStatusList": [STATUS]} if sources is None else sources,
            "select_aggregate_resource_config": select,
            **answers,
        }
    )


def read(answers: Any, **chosen: Any) -> AdoptionState:
    """The state that the flow reads."""
    current: AdoptionState = FLOW.read(answers, given(owner_tags=("Owner",), **chosen))
    return current


def test_instances_are_read_with_their_tags_and_terminated_ones_are_none() -> None:
    ended = {**ROW, "configuration": {**ROW["configuration"], "state": {"name": "terminated"}}}
    answers = aggregator(ROW, ended)
    current = read(answers)
    assert current.recorded is not None
    (found,) = current.recorded.instances
    assert (found.image, found.owners, found.target) == (OLD, ("Owner=web",), HERE)
    assert found.captured is not None
    assert found.captured.isoformat() == "2026-11-20T10:00:00+00:00"
    assert current.recorded.numbers == {HERE: 7}
    assert statuses(current) == {CONSUMER: "current"}
    assert {name for name, _request in answers.calls} & {"create_image_usage_report", "assume_role"} == set()


@pytest.mark.parametrize(
    ("answers", "code", "message"),
    [
        ({SOURCES: "NoSuchConfigurationAggregatorException"}, "invalid_option", f"no aggregator {NAME} in"),
        ({SOURCES: "AccessDeniedException"}, "AccessDeniedException", ""),
        (
            {"select_aggregate_resource_config": "InvalidExpressionException"},
            "InvalidExpressionException",
            "",
        ),
        ({"select_aggregate_resource_config": {}}, "incomplete_response", "Results"),
        (
            {
                SOURCES: {"AggregatedSourceStatusList": []},
                "select_aggregate_resource_config": {"Results": []},
            },
            "invalid_option",
            "has no data of any account",
        ),
    ],
)
def test_an_aggregator_that_cannot_be_read_is_one_error(
    answers: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        read(aggregator(**answers))
    (failure,) = refused.value.failures
    assert failure.error_code == code
    assert message in failure.message


@pytest.mark.parametrize("lacking", ["accountId", "resourceId", "configuration"])
def test_a_row_that_lacks_what_was_selected_is_a_failed_read(lacking: str) -> None:
    with pytest.raises(ValidationError, match=lacking):
        read(aggregator({key: value for key, value in ROW.items() if key != lacking}))


def test_the_aggregator_can_be_in_another_account_and_region() -> None:
    answers = aggregator()
    answers.accounts[OTHER_CONSUMER] = Answers(**aggregator(ROW).answers)
    chosen = {
        "config_aggregator_account_id": OTHER_CONSUMER,
        "config_aggregator_region": US,
        "consumer_role_name": "golden",
    }
    assert statuses(read(answers, **chosen)) == {CONSUMER: "current"}
    assert SOURCES not in [name for name, _request in answers.calls]
    del answers.accounts[OTHER_CONSUMER]
    with pytest.raises(ValidationError) as refused:
        read(answers, **chosen)
    assert [failure.action for failure in refused.value.failures] == ["AssumeRole"]
