# SPDX-License-Identifier: GPL-3.0-or-later

"""The role monitor: the resources that it creates, predicts in check mode, and deletes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import trail
from .fixture import HOME, OWNER
from .playbook import CHECKOUT, Ansible, Run

AWAY = "eu-west-1"
LOG_GROUP = "aws-cloudtrail-logs"
PLAYBOOK = "golden.images.monitor_ami_sharing"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EC2, KMS = "ec2.amazonaws.com", "kms.amazonaws.com"
RULE = "golden-images-sharing"
TOPIC = "golden-images-sharing"
QUEUE = "golden-images-sharing"

# Whether a record matches the filter for all sharing, the filter for public sharing, and the rule.
MATCHES = {
    "allowed-images-disabled": (False, False, True),
    "allowed-images-enabled": (False, False, True),
    "allowed-images-replaced": (False, False, True),
    "image-add-account": (True, False, True),
    "image-add-account-denied": (False, False, False),
    "image-add-omitted": (True, True, True),
    "image-add-organization": (True, False, True),
    "image-add-organizational-unit": (True, False, True),
    "image-add-public": (True, True, True),
    "image-add-public-among-others": (True, True, True),
    "image-add-without-parameters": (True, True, True),
    "image-block-disabled": (False, False, True),
    "image-copied": (False, False, False),
    "image-copied-by-other-account": (False, False, True),
    "image-description": (False, False, True),
    "image-exported": (False, False, True),
    "image-operation-add-account": (True, False, True),
    "image-operation-add-organization": (True, False, True),
    "image-operation-add-organizational-unit": (True, False, True),
    "image-operation-add-public": (True, True, True),
    "image-operation-remove-public": (False, False, True),
    "image-protection-disabled": (False, False, True),
    "image-remove-account": (False, False, True),
    "image-remove-public": (False, False, True),
    "image-reset": (False, False, True),
    "image-restore": (False, False, True),
    "image-restore-request": (False, False, True),
    "image-stored": (False, False, True),
    "image-watermark-detached": (False, False, True),
    "instances-run": (False, False, False),
    "key-grant": (False, False, True),
    "key-grant-by-auto-scaling": (False, False, False),
    "key-grant-by-ebs": (False, False, False),
    "key-grant-by-keyspaces": (False, False, True),
    "key-grant-denied": (False, False, False),
    "key-policy": (False, False, True),
    "key-policy-by-cloudformation": (False, False, True),
    "snapshot-add-account": (True, False, True),
    "snapshot-add-public": (True, True, True),
    "snapshot-add-without-parameters": (True, True, True),
    "snapshot-block-disabled": (False, False, True),
    "snapshot-block-relaxed": (False, False, True),
    "snapshot-copied-by-other-account": (False, False, True),
    "snapshot-copy-initiated": (False, False, True),
    "snapshot-key-associated": (False, False, True),
    "snapshot-key-disassociated": (False, False, True),
    "snapshot-operation-add-account": (True, False, True),
    "snapshot-operation-add-public": (True, True, True),
    "snapshot-operation-remove-public": (False, False, True),
    "snapshot-remove-account": (False, False, True),
    "snapshot-restore": (False, False, True),
    "snapshot-restore-request": (False, False, True),
    "snapshot-volume-created": (False, False, False),
}


def test_resources_are_created_once_and_deleted(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": QUEUE,
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }
    # The role's own check mode, which the command line does not set, verifies nothing that is not created.
    role = {"role": "golden.images.monitor", "check_mode": True}
    predicted = ansible.tasks([], roles=[role], vars=variables)
    assert predicted.code == 0, predicted.text
    assert _writes(aws) == []
    shown = " ".join(predicted.task("Show the result").result["text"].split())
    assert "Whether the EventBridge rules would change is not known" in shown

    done = _run(ansible, variables)
    assert Counter(_writes(aws)) == {
        (HOME, "CreateTopic"): 1,
        (HOME, "SetTopicAttributes"): 1,
        (HOME, "Subscribe"): 1,
        (HOME, "CreateQueue"): 1,
        (HOME, "SetQueueAttributes"): 1,
        (HOME, "PutMetricFilter"): 2,
        (HOME, "PutMetricAlarm"): 1,
        (HOME, "PutRule"): 1,
        (HOME, "PutTargets"): 1,
    }
    assert len(predicted.changed) == len(done.changed) - len({RULE})
    topic = f"arn:aws:sns:{HOME}:{aws.account_id(OWNER)}:{TOPIC}"
    filters, rule = _filters(aws, HOME), _pattern(aws, HOME)
    assert {name: filters[name]["metricTransformations"] for name in filters} == {
        "golden-images-ami-sharing": [_transformation("AMISharingEvents")],
        "golden-images-public-ami-sharing": [_transformation("PublicAMISharingEvents")],
    }
    sharing, public = (filters[name]["filterPattern"] for name in sorted(filters))
    assert {
        name: (trail.counts(sharing, record), trail.counts(public, record), trail.reports(rule, record))
        for name, record in trail.records(aws.account_id(OWNER))
    } == MATCHES
    (alarm,) = aws.client("cloudwatch", OWNER, HOME).describe_alarms()["MetricAlarms"]
    assert {
        "AlarmName": "UnauthorizedAMISharing",
        "Namespace": "Custom/EC2",
        "MetricName": "AMISharingEvents",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
    }.items() <= alarm.items()
    queue = f"arn:aws:sqs:{HOME}:{aws.account_id(OWNER)}:{QUEUE}"
    assert _targets(aws, HOME) == {"topic": topic, "queue": queue}
    assert _senders(aws, HOME, queue) == {
        "events.amazonaws.com": f"arn:aws:events:{HOME}:{aws.account_id(OWNER)}:rule/{RULE}"
    }
    assert _publishers(aws, HOME) == {"events.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert _subscribed(aws, HOME) == ["security@example.org"]

    # Nothing is left to change. The alarm notifies no one, which the modules of amazon.aws neither show nor
    # change.
    aws.client("cloudwatch", OWNER, HOME).disable_alarm_actions(AlarmNames=["UnauthorizedAMISharing"])
    aws.clear_calls()
    again = ansible.run(PLAYBOOK, variables)
    assert (again.changed, _writes(aws)) == ([], [])
    message = again.task("Fail if a region failed").result["msg"]
    assert "alarm UnauthorizedAMISharing differs in ActionsEnabled" in message
    assert (message.count(" differs in "), " is missing" in message) == (1, False), message
    command = f"enable-alarm-actions --region {HOME} --alarm-names UnauthorizedAMISharing"
    assert f"Run aws cloudwatch {command} to enable the actions." in message

    # What is refused today may have been created before, and is deleted.
    formerly = {
        "monitor_subscriptions": [{"protocol": "firehose", "endpoint": "x"}],
        "monitor_kms_key_arns": [f"{KEY[:-2]}{number}" for number in range(10, 60)],
    }
    _run(ansible, {**variables, **formerly, "monitor_state": "absent"})
    assert _everything(aws) == []


@pytest.mark.nightly
def test_check_mode_and_reruns_change_nothing(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": QUEUE,
    }
    _run(ansible, variables, "--check")
    assert _writes(aws) == []
    _run(ansible, variables)
    aws.clear_calls()
    assert (_run(ansible, variables).changed, _writes(aws)) == ([], [])
    _run(ansible, {**variables, "monitor_state": "absent"})
    aws.clear_calls()
    assert (_run(ansible, {**variables, "monitor_state": "absent"}).changed, _writes(aws)) == ([], [])


@pytest.mark.nightly
def test_the_role_says_that_no_one_would_be_notified(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": QUEUE,
        "monitor_subscriptions": [
            {"protocol": "email", "endpoint": "security@example.org"},
            {"protocol": "email", "endpoint": "nobody@example.invalid"},
        ],
    }
    shown = " ".join(_run(ansible, variables).task("Show the result").result["text"].split())
    assert "SNS has sent: email nobody@example.invalid in us-east-1. SNS deletes" in shown

    sns, sqs = aws.client("sns", OWNER, HOME), aws.client("sqs", OWNER, HOME)
    topic = f"arn:aws:sns:{HOME}:{aws.account_id(OWNER)}:{TOPIC}"
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    message = ansible.run(PLAYBOOK, variables).task("Fail if a region failed").result["msg"]
    assert f"topic {TOPIC} differs in encryption, queue {QUEUE} differs in encryption" in message
    assert "EventBridge and CloudWatch cannot use alias/aws/sns: set no key, or a customer" in message
    assert "EventBridge cannot use alias/aws/sqs: set no key" in message


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (None, f"The rule gets no events of {EC2}, {KMS}: no trail covers the region."),
        pytest.param({"stopped": True}, f"trail trail-{HOME} is not logging.", marks=pytest.mark.nightly),
        pytest.param(
            {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]},
            f"trail trail-{HOME} logs no changes by {EC2}, {KMS}.",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"EventSelectors": [{"ExcludeManagementEventSources": [KMS]}]},
            f"The rule gets no events of {KMS}: trail trail-{HOME} logs no changes by {KMS}.",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "eventSource", "NotEquals": [KMS]},
                        ]
                    }
                ]
            },
            f"The rule gets no events of {KMS}: ",
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["no-trail", "stopped", "read-only", "without-keys", "advanced"],
)
def test_a_region_in_which_no_event_can_come_fails(
    aws: SimulatedAws, ansible: Ansible, settings: dict[str, Any] | None, text: str
) -> None:
    aws.client("logs", OWNER, HOME).create_log_group(logGroupName=LOG_GROUP)
    if settings is not None:
        cloudtrail: Any = aws.client("cloudtrail", OWNER, HOME)
        arn = trail.start(aws, OWNER, HOME, LOG_GROUP)
        if settings.pop("stopped", False):
            cloudtrail.stop_logging(Name=arn)
        else:
            cloudtrail.put_event_selectors(TrailName=arn, **settings)
    run = ansible.run(PLAYBOOK, {"monitor_regions": [HOME], "monitor_log_group_name": LOG_GROUP})
    assert run.code == 2
    message = run.task("Fail if a region failed").result["msg"]
    assert f"- {HOME}: Verify the monitoring failed. " in message
    assert text in message
    assert "see docs/monitoring.md" in message


@pytest.mark.nightly
def test_an_alarm_whose_log_group_gets_nothing_fails(aws: SimulatedAws, ansible: Ansible) -> None:
    aws.client("logs", OWNER, HOME).create_log_group(logGroupName=LOG_GROUP)
    trail.start(aws, OWNER, HOME, f"{LOG_GROUP}-old")
    run = ansible.run(PLAYBOOK, {"monitor_regions": [HOME], "monitor_log_group_name": LOG_GROUP})
    assert run.code == 2
    message = run.task("Fail if a region failed").result["msg"]
    assert "Alarm UnauthorizedAMISharing gets no events: no trail that logs changes by" in message
    assert "leave out the option log_group_name" in message


@pytest.mark.nightly
def test_a_survey_and_a_region_that_fails(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    survey = {
        "monitor_regions": f"{AWAY}, {HOME}",
        "monitor_log_group_name": LOG_GROUP,
        "monitor_log_group_regions": HOME,
        "monitor_state": "present",
        "monitor_metric_namespace": "Images",
        "monitor_alarm_name": "shared",
        "monitor_rule_name": "changed",
        "monitor_topic_name": "notified",
        "monitor_subscriptions": json.dumps([{"protocol": "email", "endpoint": "security@example.org"}]),
        "monitor_purge_subscriptions": "false",
        "monitor_kms_key_arns": KEY,
    }
    aws.add_fault("error", action="PutRule", region=AWAY, code="AccessDeniedException", status=400)

    run = ansible.run(PLAYBOOK, survey)

    assert run.code == 2
    message = run.task("Fail if a region failed").result["msg"]
    assert f"- {AWAY}: Create EventBridge rule failed. " in message
    assert "AccessDeniedException" in message
    assert "docs/iam/monitor.json has all permissions" in message
    assert HOME not in message
    for region in (HOME, AWAY):
        assert _subscribed(aws, region) == ["security@example.org"]
    assert {one["metricTransformations"][0]["metricNamespace"] for one in _filters(aws, HOME).values()} == {
        "Images"
    }
    (alarm,) = aws.client("cloudwatch", OWNER, HOME).describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["AlarmActions"]) == (
        "shared",
        [f"arn:aws:sns:{HOME}:{aws.account_id(OWNER)}:notified"],
    )
    assert aws.client("cloudwatch", OWNER, AWAY).describe_alarms()["MetricAlarms"] == []
    of_images, of_keys = json.loads(_pattern(aws, HOME))["detail"]["$or"]
    assert of_images["eventSource"] == ["ec2.amazonaws.com"]
    assert {name for one in of_keys["$or"] for name in one["eventName"]} == {
        "CreateGrant",
        "PutKeyPolicy",
        "RevokeGrant",
    }
    assert of_keys["resources"] == {"ARN": [KEY]}


@pytest.mark.nightly
def test_the_region_that_cannot_be_read_is_named(aws: SimulatedAws, ansible: Ansible) -> None:
    for region in (HOME, AWAY):
        _make_log_groups(aws, region)
    aws.add_fault("error", action="DescribeLogGroups", region=AWAY, code="Refused", status=400, times=0)
    variables = {"monitor_regions": [HOME, AWAY], "monitor_log_group_name": LOG_GROUP}
    run = ansible.run(PLAYBOOK, variables)
    assert run.code == 2
    message = run.task("Fail before the first change").result["msg"]
    assert f"- Look up log groups of the trail in {AWAY} failed. " in message
    assert _everything(aws) == []


@pytest.mark.nightly
def test_web_pages_are_explained(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    variables = {"monitor_regions": [HOME], "monitor_log_group_name": LOG_GROUP}

    aws.add_fault("page", action="GetCallerIdentity", times=0, status=403)
    run = ansible.run(PLAYBOOK, variables)
    assert run.code == 2
    assert run.task("Fail before the first change").result["msg"] == (
        "Monitoring was not configured: a step before the first change failed.\n"
        "- Get caller identity failed. The response has no Error. It probably does not come from AWS. "
        "Check the network, the proxy and AWS_ENDPOINT_URL."
    )
    assert _everything(aws) == []

    aws.clear_faults()
    aws.add_fault("page", action="CreateTopic", times=0, status=200)
    run = ansible.run(PLAYBOOK, variables)
    assert run.code == 2
    assert run.task("Fail if a region failed").result["msg"] == (
        f"1 of 1 region failed.\n- {HOME}: Create topic failed. The response has no CreateTopicResult. "
        "It probably does not come from AWS. Check the network, the proxy and AWS_ENDPOINT_URL.\n"
        "Rerun to complete the failed regions: completed work is kept."
    )


# Each call of the role that changes something, and what the failure says if a web page with the HTTP status
# 200 answers it. AWS takes a minute to change a queue, which is waited for unless something else differs.
LOST_CHANGES = [
    ("present", ("CreateTopic",), "Create topic failed. The response has no CreateTopicResult."),
    ("present", ("SetTopicAttributes",), f"topic {TOPIC} differs in policy."),
    ("present", ("Subscribe",), "Create topic failed. The response has no SubscribeResult."),
    (
        "present",
        ("PutMetricFilter",),
        "metric filter golden-images-public-ami-sharing is missing.",
    ),
    ("present", ("PutMetricAlarm",), "alarm UnauthorizedAMISharing is missing."),
    ("present", ("CreateQueue",), "Create queue failed."),
    (
        "present",
        ("SetQueueAttributes", "PutTargets"),
        f"queue {QUEUE} differs in policy, rule {RULE} differs in targets.",
    ),
    ("present", ("PutRule",), "Create EventBridge rule failed."),
    ("present", ("PutTargets",), f"rule {RULE} differs in targets."),
    ("absent", ("RemoveTargets",), "Delete EventBridge rule failed."),
    ("absent", ("DeleteRule",), f"rule {RULE} still exists."),
    ("absent", ("DeleteAlarms",), "alarm UnauthorizedAMISharing still exists."),
    (
        "absent",
        ("DeleteMetricFilter",),
        "metric filter golden-images-public-ami-sharing still exists.",
    ),
    (
        "absent",
        ("DeleteQueue", "DeleteTopic"),
        f"topic {TOPIC} still exists, queue {QUEUE} still exists.",
    ),
    # The subscriptions are deleted with the topic.
    ("absent", ("Unsubscribe",), ""),
]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("state", "actions", "text"), LOST_CHANGES, ids=["-".join(actions) for _, actions, _ in LOST_CHANGES]
)
def test_a_change_that_a_web_page_answers_is_no_success(
    aws: SimulatedAws, ansible: Ansible, state: str, actions: tuple[str, ...], text: str
) -> None:
    _make_log_groups(aws, HOME)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": QUEUE,
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }
    if state == "absent":
        _run(ansible, variables)
    for action in actions:
        aws.add_fault("page", action=action, times=0, status=200)

    run = ansible.run(PLAYBOOK, {**variables, "monitor_state": state})

    assert run.code == (2 if text else 0), run.text
    if text:
        message = run.task("Fail if a region failed").result["msg"]
        assert f"- {HOME}: " in message
        assert text in message
    else:
        assert _everything(aws) == []


@pytest.mark.nightly
def test_a_queue_whose_deletion_is_not_answered_is_deleted(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    variables = {
        "monitor_regions": [HOME],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": QUEUE,
    }
    _run(ansible, variables)
    # The request sent again is answered with AWS.SimpleQueueService.NonExistentQueue.
    aws.add_fault("drop", action="DeleteQueue", when="after")

    run = _run(ansible, {**variables, "monitor_state": "absent"})

    assert "golden.images.monitor : Delete queue" in run.changed
    assert _everything(aws) == []


def test_a_missing_log_group_fails_before_the_first_change(aws: SimulatedAws, ansible: Ansible) -> None:
    _make_log_groups(aws, HOME)
    aws.client("logs", OWNER, AWAY).create_log_group(logGroupName=f"{LOG_GROUP}-old")

    run = ansible.run(PLAYBOOK, {"monitor_regions": [HOME, AWAY], "monitor_log_group_name": LOG_GROUP})

    assert run.code == 2
    refused = run.task("Fail if a log group does not exist").result["msg"]
    assert refused.startswith(f"{AWAY} has no log group {LOG_GROUP}. Nothing was changed.")
    assert _everything(aws) == []


@pytest.mark.nightly
def test_a_member_of_an_organization_is_monitored_without_a_log_group(
    aws: SimulatedAws, ansible: Ansible
) -> None:
    arn = trail.start(aws, "management", HOME, IsOrganizationTrail=True)
    variables = {"monitor_regions": [HOME, AWAY], "monitor_queue_name": QUEUE}
    text = _run(ansible, variables).task("Show the result").result["text"]
    assert "Not known" not in text
    assert aws.client("logs", OWNER, HOME).describe_metric_filters()["metricFilters"] == []
    assert aws.client("cloudwatch", OWNER, HOME).describe_alarms()["MetricAlarms"] == []
    for region in (HOME, AWAY):
        assert {*_targets(aws, region)} == {"queue", "topic"}
    assert _run(ansible, variables).changed == []

    selectors: Any = [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
    aws.client("cloudtrail", "management", HOME).put_event_selectors(TrailName=arn, EventSelectors=selectors)
    text = " ".join(_run(ansible, variables).task("Show the result").result["text"].split())
    assert "Not known whether all events come: " in text
    assert f"that depends on {arn} in {HOME}, {AWAY}." in text

    _run(ansible, {**variables, "monitor_state": "absent"})
    assert _everything(aws) == []


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"monitor_regions": []}, "regions: must contain at least one region"),
        ({"monitor_metric_namespace": "AWS/EC2"}, "metric_namespace: 'AWS/EC2' begins with AWS/"),
    ],
)
def test_variables_are_refused_before_the_first_call(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], text: str
) -> None:
    aws.clear_calls()
    run = ansible.run(PLAYBOOK, {"monitor_regions": [HOME], "monitor_log_group_name": LOG_GROUP, **variables})
    assert run.code == 2
    assert text in run.task("Validate names, regions and subscriptions").result["msg"]
    assert aws.calls() == []


def test_calls_by_principals_that_are_left_out_are_reported_only_if_they_share_publicly(
    ansible: Ansible,
) -> None:
    roles = ["arn:aws:iam::111122223333:role/golden", "arn:aws:iam::111122223333:role/ci/publish"]
    user = "arn:aws:iam::111122223333:user/build"
    filters, rule = _rendered(ansible, excluded_principal_arns=[*roles, user])
    assert max(map(len, filters)) <= 1024

    def matches(name: str, identity: dict[str, Any] | None = None) -> tuple[bool, ...]:
        record = dict(trail.records())[name]
        record = {**record, "userIdentity": identity or record["userIdentity"]}
        return (*(trail.counts(one, record) for one in filters), trail.reports(rule, record))

    assert matches("image-add-account") == (False, False, False)
    assert matches("image-add-public") == (False, True, False)
    assert matches("image-add-account", _session("golden-2")) == (True, False, True)
    assert matches("image-add-account", _session("publish", "ci/")) == (False, False, False)
    assert matches("image-add-account", {"type": "IAMUser", "arn": user}) == (False, False, False)
    assert matches("image-add-account", {"type": "IAMUser", "arn": f"{user}-2"}) == (True, False, True)
    assert matches("image-add-account", {"type": "AWSAccount", "accountId": "4" * 12}) == (True, False, True)
    assert matches("snapshot-copy-initiated") == (False, False, True)


def test_a_rule_without_keys_of_its_region_reports_no_calls_of_kms(ansible: Ansible) -> None:
    rule = _rendered(ansible, kms_key_arns=[KEY.replace(HOME, AWAY)])[1]
    found = {name for name, record in trail.records() if trail.reports(rule, record)}
    assert found == {name for name, (*_, is_reported) in MATCHES.items() if is_reported} - {
        "key-grant",
        "key-grant-by-keyspaces",
        "key-policy",
        "key-policy-by-cloudformation",
    }


@pytest.mark.parametrize("name", ["golden-images-ami-sharing", "golden-images-public-ami-sharing"])
def test_patterns_are_within_the_limits_of_cloudwatch_logs(name: str) -> None:
    """Length: botocore, logs, FilterPattern. The rest: .../logs/matching-terms-json-log-events.html."""
    (pattern,) = (one["pattern"] for one in trail.role_filters() if one["name"] == name)
    assert len(pattern) <= 1024
    selectors = re.findall(r"\$\.\S+", pattern)
    assert all(selector.count("*") <= 1 for selector in selectors)
    assert sum(selector.count("*") for selector in selectors) <= 3
    assert pattern.count("EXISTS") == pattern.count("NOT EXISTS")


def _rendered(ansible: Ansible, **options: Any) -> tuple[list[str], str]:
    """The filter patterns and the event pattern of the role with these options, in the home region."""
    defaults = {"excluded_principal_arns": [], "kms_key_arns": [], "metric_namespace": "Custom/EC2"}
    variables = {
        "monitor__variables": {"options": {**defaults, **options}},
        "monitor__caller": {"account": "111122223333"},
        "monitor__region": HOME,
    }
    path = str(CHECKOUT / "roles" / "monitor" / "vars" / "main.yml")
    shown = {
        "filters": "{{ monitor__filters | map(attribute='pattern') }}",
        "rule": "{{ monitor__event_pattern | to_json }}",
    }
    run = ansible.tasks(
        [
            {"name": "Read", "ansible.builtin.include_vars": {"file": path}},
            {"name": "Show", "ansible.builtin.debug": {"msg": shown}},
        ],
        vars=variables,
    )
    assert run.code == 0, run.text
    message = run.task("Show").result["msg"]
    rule = message["rule"]
    return message["filters"], rule if isinstance(rule, str) else json.dumps(rule)


def _session(role: str, path: str = "") -> dict[str, Any]:
    """The identity of a session of a role."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::111122223333:role/{path}{role}"}
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/build",
        "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": issuer},
    }


def _make_log_groups(aws: SimulatedAws, region: str) -> None:
    """The trail with its log group, and a log group whose name has the same prefix."""
    for name in (LOG_GROUP, f"{LOG_GROUP}-old"):
        aws.client("logs", OWNER, region).create_log_group(logGroupName=name)
    trail.start(aws, OWNER, region, LOG_GROUP)
    aws.clear_calls()


def _run(ansible: Ansible, variables: dict[str, Any], *options: str) -> Run:
    run = ansible.run(PLAYBOOK, variables, *options)
    assert run.code == 0, run.text
    return run


def _writes(aws: SimulatedAws) -> list[tuple[str, str]]:
    reads = ("Describe", "Get", "List")
    return sorted((call.region, call.action) for call in aws.calls() if not call.action.startswith(reads))


def _filters(aws: SimulatedAws, region: str) -> dict[str, dict[str, Any]]:
    found = aws.client("logs", OWNER, region).describe_metric_filters(logGroupName=LOG_GROUP)["metricFilters"]
    return {one["filterName"]: one for one in found}


def _transformation(metric: str) -> dict[str, str]:
    return {"metricName": metric, "metricNamespace": "Custom/EC2", "metricValue": "1", "unit": "Count"}


def _pattern(aws: SimulatedAws, region: str) -> str:
    (rule,) = aws.client("events", OWNER, region).list_rules()["Rules"]
    return str(rule["EventPattern"])


def _targets(aws: SimulatedAws, region: str) -> dict[str, str]:
    found = aws.client("events", OWNER, region).list_targets_by_rule(Rule=RULE)["Targets"]
    return {target["Id"]: target["Arn"] for target in found}


def _senders(aws: SimulatedAws, region: str, queue: str) -> dict[str, str]:
    """The services that the queue policy allows to send, with their source ARN."""
    sqs = aws.client("sqs", OWNER, region)
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    return {
        statement["Principal"]["Service"]: statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        for statement in json.loads(policy)["Statement"]
        if (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
    }


def _publishers(aws: SimulatedAws, region: str) -> set[str]:
    """The services that the topic policy allows to publish."""
    (topic,) = aws.client("sns", OWNER, region).list_topics()["Topics"]
    attributes = aws.client("sns", OWNER, region).get_topic_attributes(TopicArn=topic["TopicArn"])[
        "Attributes"
    ]
    statements = json.loads(attributes["Policy"])["Statement"]
    return {
        statement["Principal"]["Service"]
        for statement in statements
        if "Service" in statement["Principal"] and statement["Resource"] == topic["TopicArn"]
    }


def _subscribed(aws: SimulatedAws, region: str) -> list[str]:
    found = aws.client("sns", OWNER, region).list_subscriptions()["Subscriptions"]
    return [subscription["Endpoint"] for subscription in found]


def _everything(aws: SimulatedAws) -> list[Any]:
    """All resources of the kinds that the role creates, in both regions."""

    def resources() -> Iterator[Any]:
        for region in (HOME, AWAY):
            yield from aws.client("events", OWNER, region).list_rules()["Rules"]
            yield from aws.client("cloudwatch", OWNER, region).describe_alarms()["MetricAlarms"]
            yield from aws.client("logs", OWNER, region).describe_metric_filters()["metricFilters"]
            yield from aws.client("sns", OWNER, region).list_topics()["Topics"]
            yield from aws.client("sqs", OWNER, region).list_queues().get("QueueUrls", ())

    return list(resources())
