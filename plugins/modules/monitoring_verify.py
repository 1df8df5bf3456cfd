#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_verify
version_added: 0.1.0
short_description: Verify the monitoring of one region
description:
  - Verifies that the monitoring of image sharing in a region works, at any time, such as from a schedule. Reads what
    P(golden.images.monitor#role) creates there, and fails if it is not as the options say. The role runs it after the
    changes of each region.
  - The modules that make these changes do not notice a web page of a proxy in place of a response of AWS. With the HTTP
    status 200, they take it for success. This module does not, and reads what AWS really has.
  - Also fails if EventBridge or CloudWatch cannot send to the topic or the queue, because it is encrypted under an AWS
    managed key, and if a recipient has unsubscribed from the topic.
  - Also fails if no event can come. EventBridge gets calls only where a CloudTrail trail logs them, and the metric filters
    count only what a trail delivers to O(log_group_name). Trails for all regions count, and those of the organization.
    RV(unread_trails) has those whose event selectors could not be read.
  - Waits up to 10 seconds for AWS to return a change, and up to 70 seconds if only the queue differs. SQS documents that
    changes of attributes and deletions can take up to 60 seconds. SNS, CloudWatch, CloudWatch Logs and EventBridge document
    no delay of reads.
  - Changes nothing.
author:
  - golden.images contributors !UNKNOWN
options:
  state:
    description:
      - Whether the resources should exist.
      - With V(absent), only names and O(topic_arn) matter.
    type: str
    choices: [present, absent]
    default: present
  topic_arn:
    description:
      - The ARN of the SNS topic. Its region is the one that is verified.
    type: str
    required: true
  topic_policy:
    description:
      - The policy of the topic.
    type: dict
    required: true
  subscriptions:
    description:
      - The subscriptions of the topic, mappings with C(protocol) and C(endpoint). They need not be confirmed, see
        RV(pending_subscriptions).
    type: list
    elements: dict
    default: []
  purge_subscriptions:
    description:
      - Whether the topic should have no other confirmed subscriptions.
    type: bool
    default: false
  log_group_name:
    description:
      - The log group with the metric filters. Without it, neither the filters nor an existing alarm are expected.
    type: str
  metric_namespace:
    description:
      - The namespace of the metrics.
    type: str
    required: true
  metric_filters:
    description:
      - The metric filters of the log group.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the filter.
        type: str
        required: true
      metric:
        description: The name of the metric.
        type: str
        required: true
      pattern:
        description: The pattern of the filter.
        type: str
        required: true
  alarm_name:
    description:
      - The name of the alarm.
    type: str
    required: true
  alarm:
    description:
      - The settings of the alarm, as CloudWatch's DescribeAlarms returns them, such as C(MetricName).
    type: dict
    required: true
  queue_name:
    description:
      - The name of the SQS queue, if there is one.
    type: str
  queue_policy:
    description:
      - The policy of the queue.
    type: dict
    default: {}
  rule_name:
    description:
      - The name of the EventBridge rule.
    type: str
    required: true
  event_pattern:
    description:
      - The event pattern of the rule.
    type: dict
    required: true
  targets:
    description:
      - All targets of the rule.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description: The ID of the target.
        type: str
        required: true
      arn:
        description: The ARN of the topic or queue.
        type: str
        required: true
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: The module never changes anything.
  diff_mode:
    support: none
    description: The module never changes anything.
notes:
  - Makes seven calls, two more for a queue, two fewer without a log group, and one or two for each trail.
"""

EXAMPLES = r"""
- name: Verify that the monitoring is gone
  golden.images.monitoring_verify:
    state: absent
    topic_arn: arn:aws:sns:eu-west-1:111122223333:golden-images-sharing
    topic_policy: {}
    log_group_name: aws-cloudtrail-logs
    metric_namespace: Custom/EC2
    metric_filters:
      - name: golden-images-ami-sharing
        metric: AMISharingEvents
        pattern: '{ $.eventName = "ModifyImageAttribute" }'
    alarm_name: UnauthorizedAMISharing
    alarm: {}
    rule_name: golden-images-sharing
    event_pattern: {}
    targets: []
"""

RETURN = r"""
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success
  type: list
  elements: dict
failures:
  description: What failed, and what to do about it.
  returned: always
  type: list
  elements: dict
  contains:
    account_id:
      description: The account. Null if the failure is not about one account.
      type: str
      returned: always
    action:
      description: The AWS operation or the option that failed.
      type: str
      returned: always
    error_code:
      description:
        - AWS's error code, the name of botocore's exception, or this collection's own code in snake_case.
        - C(docs/codes.md) of this collection lists the own codes.
      type: str
      returned: always
    message:
      description: What went wrong.
      type: str
      returned: always
    region:
      description: The region. Null if the failure is not about one region.
      type: str
      returned: always
    remedy:
      description: What to do about it.
      type: str
      returned: always
    request_id:
      description: AWS's request ID. Null unless AWS returned the error.
      type: str
      returned: always
    source:
      description:
        - V(aws) if AWS returned an error, V(sdk) if botocore failed before a response, else V(collection).
      type: str
      returned: always
pending_subscriptions:
  description:
    - Those of O(subscriptions) that their recipients have not confirmed. SNS sends them no messages.
  returned: success, and failure after something was read
  type: list
  elements: dict
  contains:
    endpoint:
      description: The endpoint, for example an e-mail address.
      type: str
      returned: always
    protocol:
      description: The protocol.
      type: str
      returned: always
  sample:
    - endpoint: security@example.invalid
      protocol: email
unread_trails:
  description:
    - ARNs of trails of other accounts with event selectors, which only their owner can read. Whether some of the events
      come depends on them alone.
  returned: success, and failure after something was read
  type: list
  elements: str
  sample: []
"""

from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
