# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of one target's calls: values that AWS validates late or never, versions that become known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY, Action
from ansible_collections.golden.images.plugins.module_utils.publish.apply import PublishRun, perform_target

from tests.unit.clock import Clock
from tests.unit.examples import target_in
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
)
from tests.unit.publish.examples import (
    found,
    parameter,
    version,
)
from tests.unit.wire import Wire

VALUE = {"Name": NAME, "Value": NEW, "Type": "String", "DataType": "aws:ec2:image", "Overwrite": True}
PUT = Action(target_in(REGION), "PutParameter", VALUE, NAME, "ssm")
LABELED = {"Name": NAME, "ParameterVersion": KNOWN_AFTER_APPLY, "Labels": [LABEL]}
LABELING = Action(target_in(REGION), "LabelParameterVersion", LABELED, NAME, "ssm")
BUSY = ["TooManyUpdates", "ValidationException"]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock.of(monkeypatch, attempts)
    clock.now = 0.0
    return clock


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


@pytest.fixture
def run(ssm: Wire) -> Callable[..., PublishRun]:
    def perform(*actions: Action, wait_timeout: float = 60, before: int = 0) -> PublishRun:
        services = {"ssm": ssm.client, "ssm_once": ssm.client}
        here = found(parameter=parameter(version(before)) if before else None)
        return perform_target(services, actions or (PUT,), here, wait_timeout)

    return perform


def accepted(ssm: Wire, version: int) -> None:
    """Expect the value, and take it as this version."""
    ssm.expect("put_parameter", VALUE, {"Version": version})


def labeled(ssm: Wire, version: int) -> None:
    """Expect the label for this version."""
    ssm.expect(
        "label_parameter_version", {**LABELED, "ParameterVersion": version}, {"ParameterVersion": version}
    )


def shows(ssm: Wire, version: int | None, value: str = NEW) -> None:
    """Expect a look, and show this version or none."""
    if version is None:
        ssm.refuse("get_parameter", {"Name": NAME}, "ParameterNotFound")
    else:
        answer = {"Parameter": {"Name": NAME, "Version": version, "Value": value}}
        ssm.expect("get_parameter", {"Name": NAME}, answer)


@pytest.mark.parametrize("before", [(None, ""), (2, OLD), (2, NEW)], ids=str)
def test_a_value_is_waited_for(ssm: Wire, run: Callable[..., PublishRun], before: tuple[Any, str]) -> None:
    accepted(ssm, 3)
    shows(ssm, *before)
    shows(ssm, *before)
    shows(ssm, 3)
    labeled(ssm, 3)
    shows(ssm, 3)
    done = run(PUT, LABELING)
    assert (done.failures, done.version) == ([], 3)
    assert [action.operation for action in done.performed] == ["PutParameter", "LabelParameterVersion"]


def test_a_value_that_never_appears_is_explained(
    ssm: Wire, run: Callable[..., PublishRun], clock: Clock
) -> None:
    accepted(ssm, 3)
    for _ in range(3):
        shows(ssm, 2, OLD)
    done = run(PUT, LABELING, wait_timeout=1)
    (failure,) = done.failures
    assert failure.error_code == "parameter_not_validated"
    assert all(text in failure.message for text in (NEW, "version 3", NAME, "1 seconds"))
    assert [action.operation for action in done.performed] == ["PutParameter"]
    assert clock.now == 1


def test_a_value_is_read_less_and_less_often(ssm: Wire, run: Callable[..., PublishRun], clock: Clock) -> None:
    accepted(ssm, 3)
    for _ in range(5):
        shows(ssm, 2, OLD)
    shows(ssm, 3)
    assert run().version == 3
    assert clock.now == 0.5 + 1 + 2 + 3 + 3


@pytest.mark.parametrize(("version", "value"), [(4, OLD), (3, OLD)])
def test_a_concurrent_change_is_a_failure(
    ssm: Wire, run: Callable[..., PublishRun], version: int, value: str
) -> None:
    accepted(ssm, 3)
    shows(ssm, version, value)
    (failure,) = run().failures
    assert failure.error_code == "concurrent_change"


def test_a_concurrent_change_to_the_same_value_is_accepted(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    accepted(ssm, 3)
    shows(ssm, 4)
    done = run()
    assert (done.failures, done.version) == ([], 4)


@pytest.mark.parametrize("code", BUSY)
@pytest.mark.parametrize("before", [(None, ""), (2, OLD)], ids=str)
def test_the_same_value_of_an_interrupted_run_is_accepted(
    ssm: Wire, run: Callable[..., PublishRun], code: str, before: tuple[Any, str]
) -> None:
    ssm.refuse("put_parameter", VALUE, code)
    shows(ssm, *before)
    ssm.refuse("put_parameter", VALUE, code)
    shows(ssm, 3)
    done = run(before=before[0] or 0)
    assert (done.failures, done.version, done.performed) == ([], 3, [])


@pytest.mark.parametrize("code", BUSY)
def test_another_value_is_put_after_the_one_that_is_being_validated(
    ssm: Wire, run: Callable[..., PublishRun], code: str
) -> None:
    ssm.refuse("put_parameter", VALUE, code)
    shows(ssm, 3, OLD)
    accepted(ssm, 4)
    shows(ssm, 4)
    done = run(before=2)
    assert (done.failures, done.version, len(done.performed)) == ([], 4, 1)


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "503"])
@pytest.mark.parametrize("before", [(None, ""), (2, OLD), (2, NEW)], ids=str)
def test_a_value_whose_answer_is_lost_is_read_and_not_put_again(
    ssm: Wire, run: Callable[..., PublishRun], code: str, before: tuple[Any, str]
) -> None:
    """Although the value may be as before, if only the tier changes."""
    ssm.refuse("put_parameter", VALUE, code)
    shows(ssm, 3)
    done = run(before=before[0] or 0)
    assert (done.failures, done.version, done.performed) == ([], 3, [PUT])


@pytest.mark.parametrize("code", ["InternalError", "ThrottlingException", "RequestLimitExceeded"])
@pytest.mark.parametrize("before", [(None, ""), (2, OLD), (2, NEW)], ids=str)
def test_a_value_that_was_not_put_is_put_again(
    ssm: Wire, run: Callable[..., PublishRun], code: str, before: tuple[Any, str]
) -> None:
    ssm.refuse("put_parameter", VALUE, code)
    shows(ssm, *before)
    accepted(ssm, 3)
    shows(ssm, 3)
    done = run(before=before[0] or 0)
    assert (done.failures, done.version, done.performed) == ([], 3, [PUT])


EXISTS = "ParameterAlreadyExists"
CREATION = {
    **{name: given for name, given in VALUE.items() if name != "Overwrite"},
    "Tags": [{"Key": "team", "Value": "web"}],
}
CREATING = Action(target_in(REGION), "PutParameter", CREATION, NAME, "ssm")
ADDED = {"ResourceType": "Parameter", "ResourceId": NAME, "Tags": CREATION["Tags"]}


def test_the_parameter_of_another_client_gets_tags_and_label_if_it_has_the_image(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    ssm.refuse("put_parameter", CREATION, EXISTS)
    shows(ssm, 1)
    ssm.expect("add_tags_to_resource", ADDED)
    labeled(ssm, 1)
    shows(ssm, 1)
    done = run(CREATING, LABELING)
    assert (done.failures, done.version) == ([], 1)
    assert [action.operation for action in done.performed] == ["AddTagsToResource", "LabelParameterVersion"]
    assert done.performed[0].parameters == ADDED


def test_the_parameter_of_another_client_without_tags_to_add(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    untagged = {name: given for name, given in CREATION.items() if name != "Tags"}
    ssm.refuse("put_parameter", untagged, EXISTS)
    shows(ssm, 1)
    done = run(replace(CREATING, parameters=untagged))
    assert (done.failures, done.version, done.performed) == ([], 1, [])


def test_the_parameter_of_another_client_with_another_image_is_not_changed(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    ssm.refuse("put_parameter", CREATION, EXISTS)
    shows(ssm, 2, OLD)
    done = run(CREATING, LABELING)
    (failure,) = done.failures
    assert (failure.error_code, done.performed) == ("concurrent_change", [])
    assert all(text in failure.message for text in (NAME, OLD, "version 2"))


def test_a_parameter_that_is_not_readable_yet_is_waited_for(
    ssm: Wire, run: Callable[..., PublishRun], clock: Clock
) -> None:
    ssm.refuse("put_parameter", CREATION, EXISTS)
    shows(ssm, None)
    ssm.refuse("put_parameter", CREATION, EXISTS)
    shows(ssm, 1, OLD)
    (failure,) = run(CREATING, wait_timeout=0.6).failures
    assert (failure.error_code, clock.now) == ("concurrent_change", 0.6)


def test_a_parameter_that_exists_and_never_becomes_readable_is_a_failure(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    for _ in range(2):
        ssm.refuse("put_parameter", CREATION, EXISTS)
        shows(ssm, None)
    done = run(CREATING, wait_timeout=0.5)
    assert [failure.error_code for failure in done.failures] == [EXISTS]


def test_a_creation_whose_answer_is_lost_is_this_run_s_although_it_then_exists(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    ssm.refuse("put_parameter", CREATION, "InternalError")
    shows(ssm, None)
    ssm.refuse("put_parameter", CREATION, EXISTS)
    shows(ssm, 1)
    ssm.expect("add_tags_to_resource", ADDED)
    done = run(CREATING)
    assert (done.failures, done.version) == ([], 1)
    assert [action.operation for action in done.performed] == ["PutParameter", "AddTagsToResource"]


def test_a_new_parameter_has_its_tags_without_another_call(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    ssm.expect("put_parameter", CREATION, {"Version": 1})
    shows(ssm, 1)
    assert run(CREATING).performed == [CREATING]


def test_what_is_refused_for_long_is_refused(ssm: Wire, run: Callable[..., PublishRun], clock: Clock) -> None:
    for _ in range(3):
        ssm.refuse("put_parameter", VALUE, "ValidationException", "No such name.")
        shows(ssm, None)
    (failure,) = run(PUT, LABELING, wait_timeout=1).failures
    assert (failure.error_code, failure.message) == ("ValidationException", "No such name.")
    assert clock.now == 1


def test_any_other_refusal_is_final(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    ssm.refuse("put_parameter", VALUE, "AccessDeniedException")
    done = run(PUT, LABELING)
    (failure,) = done.failures
    assert (failure.error_code, done.performed) == ("AccessDeniedException", [])


def test_what_was_done_before_a_look_fails_is_not_forgotten(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    accepted(ssm, 1)
    ssm.refuse("get_parameter", {"Name": NAME}, "AccessDeniedException")
    done = run()
    (failure,) = done.failures
    assert (failure.action, len(done.performed)) == ("GetParameter", 1)


def test_a_label_that_aws_ignores_is_a_failure(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    known = {**LABELED, "ParameterVersion": 2}
    answer = {"InvalidLabels": [LABEL], "ParameterVersion": 2}
    ssm.expect("label_parameter_version", known, answer)
    (failure,) = run(Action(target_in(REGION), "LabelParameterVersion", known, NAME, "ssm")).failures
    assert failure.error_code == "invalid_label"


LABELING_2 = replace(LABELING, parameters={**LABELED, "ParameterVersion": 2})


def labels(run: PublishRun) -> list[int]:
    """The versions that were labeled, in their order."""
    assert {action.operation for action in run.performed} == {"LabelParameterVersion"}
    return [action.parameters["ParameterVersion"] for action in run.performed]


def test_the_newest_version_is_labeled_once(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    labeled(ssm, 2)
    shows(ssm, None)
    shows(ssm, 1, OLD)
    shows(ssm, 2)
    done = run(LABELING_2)
    assert (done.failures, done.version, labels(done)) == ([], None, [2])


@pytest.mark.parametrize("then", [(None, ""), (1, NEW)], ids=["deleted", "created again"])
def test_a_label_of_a_version_that_is_gone_is_a_failure(
    ssm: Wire, run: Callable[..., PublishRun], clock: Clock, then: tuple[Any, str]
) -> None:
    labeled(ssm, 2)
    for _ in range(3):
        shows(ssm, *then)
    done = run(LABELING_2, wait_timeout=1)
    (failure,) = done.failures
    assert (failure.error_code, labels(done), clock.now) == ("concurrent_change", [2], 1)
    assert all(text in failure.message for text in (NAME, "version 2"))


def test_each_version_that_others_put_with_the_same_image_takes_over_the_label(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    labeled(ssm, 2)
    shows(ssm, 3)
    labeled(ssm, 3)
    shows(ssm, 5)
    labeled(ssm, 5)
    shows(ssm, 5)
    done = run(LABELING_2)
    assert (done.failures, done.version, labels(done)) == ([], 5, [2, 3, 5])


@pytest.mark.parametrize("number", [2, 3])
def test_another_image_does_not_take_over_the_label_and_templates_stay(
    ssm: Wire, run: Callable[..., PublishRun], number: int
) -> None:
    modify = {"LaunchTemplateId": "lt-1", "DefaultVersion": "7"}
    labeled(ssm, 2)
    shows(ssm, number, OLD)
    done = run(LABELING_2, Action(target_in(REGION), "ModifyLaunchTemplate", modify, "lt-1"))
    (failure,) = done.failures
    assert (failure.error_code, failure.action) == ("concurrent_change", "LabelParameterVersion")
    assert all(text in failure.message for text in (NAME, OLD, f"version {number}"))
    assert f"only if {NEW} is to replace {OLD}" in (failure.remedy or "")
    assert labels(done) == [2]


def test_a_newer_version_that_takes_no_label_is_a_failure(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    labeled(ssm, 2)
    shows(ssm, 3)
    request = {**LABELED, "ParameterVersion": 3}
    ssm.refuse("label_parameter_version", request, "ParameterVersionLabelLimitExceeded")
    done = run(LABELING_2)
    (failure,) = done.failures
    assert (failure.error_code, labels(done)) == ("ParameterVersionLabelLimitExceeded", [2])


def test_a_label_is_not_fine_if_the_newest_version_cannot_be_read(
    ssm: Wire, run: Callable[..., PublishRun]
) -> None:
    labeled(ssm, 2)
    ssm.refuse("get_parameter", {"Name": NAME}, "AccessDeniedException")
    done = run(LABELING_2)
    (failure,) = done.failures
    assert (failure.action, failure.error_code, labels(done)) == (
        "GetParameter",
        "AccessDeniedException",
        [2],
    )


@pytest.mark.parametrize("operation", ["LabelParameterVersion", "AddTagsToResource"])
def test_templates_take_the_image_without_the_label_or_the_tags_of_the_parameter(operation: str) -> None:
    parameters: dict[str, dict[str, Any]] = {
        "LabelParameterVersion": {"Name": NAME, "ParameterVersion": 2, "Labels": [LABEL]},
        "AddTagsToResource": {"ResourceType": "Parameter", "ResourceId": NAME, "Tags": []},
    }
    method = {"LabelParameterVersion": "label_parameter_version", "AddTagsToResource": "add_tags_to_resource"}
    modify = {"LaunchTemplateId": "lt-1", "DefaultVersion": "7"}
    with Wire("ec2").spoken() as ec2, Wire("ssm").spoken() as ssm:
        ssm.refuse(method[operation], parameters[operation], "AccessDeniedException")
        ec2.expect("modify_launch_template", modify)
        done = perform_target(
            {"ec2": ec2.client, "ssm": ssm.client},
            (
                Action(target_in(REGION), operation, parameters[operation], NAME, "ssm"),
                Action(target_in(REGION), "ModifyLaunchTemplate", modify, "lt-1"),
            ),
            found(),
            60,
        )
    assert [failure.action for failure in done.failures] == [operation]
    assert done.defaults == {"lt-1": 7}


def test_a_templates_new_version_becomes_the_default_and_its_warnings_are_told() -> None:
    create = {"LaunchTemplateId": "lt-1", "SourceVersion": "1", "LaunchTemplateData": {"ImageId": NEW}}
    modify = {"LaunchTemplateId": "lt-1", "DefaultVersion": KNOWN_AFTER_APPLY}
    with Wire("ec2").spoken() as ec2:
        answer = {
            "LaunchTemplateVersion": {"VersionNumber": 7},
            "Warning": {"Errors": [{"Code": "x", "Message": "The key pair does not exist"}]},
        }
        ec2.expect("create_launch_template_version", create, answer)
        ec2.expect("modify_launch_template", {**modify, "DefaultVersion": "7"})
        done = perform_target(
            {"ec2": ec2.client},
            (
                Action(target_in(REGION), "CreateLaunchTemplateVersion", create, "lt-1"),
                Action(target_in(REGION), "ModifyLaunchTemplate", modify, "lt-1"),
            ),
            found(),
            60,
        )
    assert (done.failures, done.defaults) == ([], {"lt-1": 7})
    (warning,) = done.warnings
    assert "The key pair does not exist" in warning


TAKEN_OFF = {"Name": NAME, "ParameterVersion": 3, "Labels": [LABEL]}
TAKING_OFF = Action(target_in(REGION), "UnlabelParameterVersion", TAKEN_OFF, NAME, "ssm")


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_label_that_made_room_for_a_value_that_does_not_come_is_put_back(
    ssm: Wire, run: Callable[..., PublishRun], is_gone: bool
) -> None:
    ssm.expect("unlabel_parameter_version", TAKEN_OFF, {"RemovedLabels": [LABEL]})
    ssm.refuse("put_parameter", VALUE, "AccessDeniedException")
    if is_gone:
        ssm.refuse("label_parameter_version", TAKEN_OFF, "ParameterVersionNotFound", "It is gone.")
    else:
        ssm.expect("label_parameter_version", TAKEN_OFF, {"ParameterVersion": 3})
    done = run(TAKING_OFF, PUT, LABELING)
    (failure,) = done.failures
    assert failure.error_code == "AccessDeniedException"
    labeled = [] if is_gone else ["LabelParameterVersion"]
    assert [action.operation for action in done.performed] == ["UnlabelParameterVersion", *labeled]
    assert ["It is gone." in one and LABEL in one for one in done.warnings] == [True] * is_gone


def test_a_put_value_without_a_version_is_a_failure(ssm: Wire, run: Callable[..., PublishRun]) -> None:
    """Its version is what the wait compares with (botocore shape PutParameterResult requires no member)."""
    ssm.expect("put_parameter", VALUE, {})
    done = run()
    assert done.performed == [PUT]
    (failure,) = done.failures
    assert (failure.error_code, failure.action) == ("incomplete_response", "PutParameter")


@pytest.mark.parametrize("answer", [{}, {"LaunchTemplateVersion": {}}])
def test_a_template_s_new_version_without_a_number_does_not_become_the_default(
    answer: dict[str, Any],
) -> None:
    create = {"LaunchTemplateId": "lt-1", "SourceVersion": "1", "LaunchTemplateData": {"ImageId": NEW}}
    modify = {"LaunchTemplateId": "lt-1", "DefaultVersion": KNOWN_AFTER_APPLY}
    creation = Action(target_in(REGION), "CreateLaunchTemplateVersion", create, "lt-1")
    with Wire("ec2").spoken() as ec2:
        ec2.expect("create_launch_template_version", create, answer)
        actions = (creation, Action(target_in(REGION), "ModifyLaunchTemplate", modify, "lt-1"))
        done = perform_target({"ec2": ec2.client}, actions, found(), 60)
    assert (done.performed, done.defaults) == ([creation], {})
    (failure,) = done.failures
    assert failure.action == "CreateLaunchTemplateVersion"
    assert failure.error_code == "incomplete_response"
