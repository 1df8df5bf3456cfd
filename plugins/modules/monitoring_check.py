#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_check
version_added: 0.1.0
short_description: Check the options of monitoring before its first step
description:
  - Checks the names, regions and subscriptions of P(golden.images.monitor#role), and fails with all problems at once. The
    role creates resources in one region after another.
  - Needs no AWS credentials and changes nothing.
author:
  - golden.images contributors !UNKNOWN
options:
  regions:
    description:
      - The regions to monitor.
    type: list
    elements: str
    required: true
  log_group_name:
    description:
      - The name of the log group that the trail delivers to, if metric filters and an alarm are wanted.
    type: str
  log_group_regions:
    description:
      - The regions that have the log group O(log_group_name), by default all of O(regions).
    type: list
    elements: str
    default: []
  metric_namespace:
    description:
      - The namespace of the metrics.
    type: str
    required: true
  alarm_name:
    description:
      - The name of the alarm.
    type: str
    required: true
  rule_name:
    description:
      - The name of the EventBridge rule.
    type: str
    required: true
  topic_name:
    description:
      - The name of the SNS topic.
    type: str
    required: true
  queue_name:
    description:
      - The name of the SQS queue, if there is one.
    type: str
  subscriptions:
    description:
      - Subscriptions of the topic, a list of mappings with C(protocol) and C(endpoint).
    type: list
    elements: dict
    default: []
  kms_key_arns:
    description:
      - ARNs of the KMS keys that are monitored, by default all.
    type: list
    elements: str
    default: []
  excluded_principal_arns:
    description:
      - ARNs of the IAM roles and users whose calls are not reported.
    type: list
    elements: str
    default: []
  filter_patterns:
    description:
      - The patterns of the metric filters, whose length is checked.
    type: list
    elements: str
    default: []
  event_pattern:
    description:
      - The event pattern of the rule with all of O(kms_key_arns), whose length is checked in each region with the keys
        of that region. By default not checked.
    type: dict
extends_documentation_fragment:
  - golden.images.option_forms
attributes:
  check_mode:
    support: full
    description: The module never changes anything.
  diff_mode:
    support: none
    description: The module never changes anything.
"""

EXAMPLES = r"""
- name: Check the monitoring before its first resource
  golden.images.monitoring_check:
    regions: [eu-west-1]
    log_group_name: aws-cloudtrail-logs
    metric_namespace: Custom/EC2
    alarm_name: UnauthorizedAMISharing
    rule_name: golden-images-sharing
    topic_name: golden-images-sharing
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
"""

from ansible_collections.golden.images.plugins.module_utils._monitoring.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
