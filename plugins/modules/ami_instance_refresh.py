#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_instance_refresh
version_added: 0.1.0
short_description: Replace the instances of Auto Scaling groups with those of an AMI
description:
  - Starts an instance refresh of each named Auto Scaling group whose instances do not all run the image, a few groups at a
    time, waits until each has ended, and then looks at what its instances run.
  - B(This terminates running instances), in other accounts, too. No group is refreshed that O(auto_scaling_groups) does not
    name, no more than O(max_groups) of them, and none whose next launches are not of the image. Run it in check mode first.
  - All groups are read and checked before the first refresh starts. If one is refused, or an account or region cannot be
    read, nothing is started. Each group, and the image, is read again right before its refresh.
  - After the first failure, no further refresh is started. Those in progress are waited for. A rerun goes on with the others,
    and waits for a refresh that an earlier run has started and not seen the end of.
  - The image must be published to the groups first, see M(golden.images.ami_publish). Their launch templates are not changed.
    It must be available in the accounts, and must not have been recalled, also while a refresh is in progress. Only the tag
    of an image of the account whose credentials are used shows a recall.
  - "A group that launches V($Latest) or V($Default) keeps that. One with the number of a version that has another image gets
    the number of the default version once its refresh has succeeded, if that version has the image and differs in nothing
    else. With a mixed instances policy, such a group is refused."
  - Of a launch template with an AMI ID, AWS skips instances that its version has launched. Of one with a parameter
    (C(resolve:ssm:)), AWS skips none, so that instances that run the image are replaced again if one of the group does not.
  - Refused are groups with a launch configuration, with overrides that have images or launch templates of their own, with
    one of the processes C(HealthCheck), C(InstanceRefresh), C(Launch) and C(Terminate) suspended, or C(AddToLoadBalancer)
    if the group has a load balancer or target group, those that are being deleted or that an AWS service manages, such as
    EKS, and those with another instance refresh in progress. So are those that would have no instance for a while, see
    O(min_healthy_percentage).
  - "Needs, in each account: C(autoscaling:DescribeAutoScalingGroups), C(autoscaling:DescribeInstanceRefreshes),
    C(autoscaling:StartInstanceRefresh), C(ec2:DescribeImages), C(ec2:DescribeInstances),
    C(ec2:DescribeLaunchTemplateVersions), and C(ssm:GetParameters) for launch templates with parameters. AWS may ask for the
    permissions that a launch from the template needs, too, see C(docs/iam/README.md) of this collection."
author:
  - golden.images contributors !UNKNOWN
options:
  account_ids:
    description:
      - The accounts with the groups, each 12 digits in quotes.
      - No role is assumed for the account whose credentials are used. It is only looked at if it is listed, too.
    type: list
    elements: str
    required: true
  auto_scaling_groups:
    description:
      - The names of the groups whose instances may be replaced. No value stands for all groups.
      - A group is looked for in every account and region. A name that is found in none of them is refused.
    type: list
    elements: str
    required: true
  min_healthy_percentage:
    description:
      - The percentage of a group's desired capacity that must stay in service, from 0 to 100.
      - By default, that of the group's instance maintenance policy, or else 90.
      - "Where AWS would terminate all instances of a group before others run, such as the only one, the group is refused, unless
        that policy has a minimum above 0 and a maximum above 100. Set less than 100 to accept that, or
        O(max_healthy_percentage), too, to launch first."
    type: int
  max_healthy_percentage:
    description:
      - The percentage of a group's desired capacity that may be in service or pending, from 100 to 200. Needs
        O(min_healthy_percentage), at most 100 below it.
      - With 100 and 110, new instances are launched before others are terminated. By default, that is so only if the group's
        instance maintenance policy says so.
    type: int
  instance_warmup:
    description:
      - Seconds after which a new instance counts as ready. By default, what the group has.
    type: int
  bake_time:
    description:
      - Seconds to wait at the end of a refresh before it counts as successful, at most 172800 and less than O(wait_timeout).
        Without O(alarms), AWS watches nothing in that time.
    type: int
  alarms:
    description:
      - The names of CloudWatch alarms, at most 10, of the account and region of the group. A refresh fails if one of them goes
        off.
    type: list
    elements: str
    default: []
  auto_rollback:
    description:
      - Whether AWS rolls a refresh that fails back to the instances before it. AWS can do that only if the refresh changes
        the number of the launch template's version in the group.
      - Of other groups, a warning says so. Their refresh stops if it fails.
    type: bool
    default: true
  skip_matching:
    description:
      - Whether AWS skips instances that the version of the launch template has launched, where it can.
      - With V(false), a group with an instance that does not run the image gets all its instances replaced.
    type: bool
    default: true
  scale_in_protected_instances:
    description:
      - What to do with instances that are protected from scale in and do not run the image, V(ignore) to keep them or
        V(refresh) to replace them.
      - By default, a group with such instances is refused.
    type: str
    choices: [ignore, refresh]
  standby_instances:
    description:
      - What to do with instances in Standby that do not run the image, V(ignore) to keep them or V(terminate) to replace them.
      - By default, a group with such instances is refused.
    type: str
    choices: [ignore, terminate]
  max_groups:
    description:
      - The task is refused if the instances of more groups than this would be replaced, in all accounts and regions together.
        In check mode, it fails and returns them.
    type: int
    default: 10
  max_concurrent_groups:
    description:
      - The number of groups that are refreshed at the same time, in all accounts and regions together.
      - With 1, a group is only touched after those before it have succeeded.
    type: int
    default: 1
  wait_timeout:
    description:
      - Seconds to wait for each refresh. One that takes longer goes on, fails the task, and no further one is started.
      - Reads that fail because of the network, throttling, a server or credentials that cannot be renewed are repeated until
        then.
    type: int
    default: 7200
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.images_by_target
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Reads the groups, and returns which of their instances would be replaced. An image that is null is refused.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - Needs botocore 1.43.66 or newer. An older one does not show which groups an AWS service manages.
  - A refresh that goes on can be ended with C(aws autoscaling cancel-instance-refresh), in the region and with credentials of
    the account of the group.
  - Instances in a warm pool are not looked at. AWS replaces them in the same refresh. A warning names groups with one that are
    not refreshed.
  - A warning names the accounts and regions in which a group does not exist, if it does in others, instances that run on while
    they leave a group, and those with the image that AWS replaces again.
seealso:
  - module: golden.images.ami_publish
  - module: golden.images.ami_recall
  - module: golden.images.ami_adoption
"""

EXAMPLES = r"""
- name: Replace the instances of two groups, one group at a time
  golden.images.ami_instance_refresh:
    images:
      us-east-1: ami-0123456789abcdef0
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    auto_scaling_groups: [web, api]

- name: Launch new instances before others are terminated, and stop if an alarm goes off
  golden.images.ami_instance_refresh:
    image_id: ami-0123456789abcdef0
    region: us-east-1
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    auto_scaling_groups: [web]
    min_healthy_percentage: 100
    max_healthy_percentage: 110
    alarms: [web-errors]
    bake_time: 600
"""

RETURN = r"""
results:
  description: Each named group that exists, with what came of it.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "012345678901"
      auto_rollback: false
      auto_scaling_group: web
      changed: true
      image_id: ami-0123456789abcdef0
      images: {"ami-0123456789abcdef0": 4}
      instances_kept: []
      instances_to_replace: 4
      launch_template_version: $Default
      new_launch_template_version: $Default
      percentage_complete: 100
      refresh_id: 08b91cf7-8fa6-48af-b6a6-d227f40f1b9b
      region: us-east-1
      status: successful
      status_reason: null
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    auto_rollback:
      description: Whether AWS rolls the refresh back if it fails.
      type: bool
      returned: always
    auto_scaling_group:
      description: The name of the group.
      type: str
      returned: always
    changed:
      description: Whether this task started a refresh of the group, or would in check mode.
      type: bool
      returned: always
    image_id:
      description: The image that the instances are to run.
      type: str
      returned: always
    images:
      description:
        - The number of the group's instances by image, without those that leave it, after the refresh if it has ended, else as
          they were before. V(unknown) is what EC2 does not return, or not yet.
      type: dict
      returned: always
    instances_kept:
      description: The instances in Standby or protected from scale in that do not run the image, and are not replaced.
      type: list
      elements: str
      returned: always
    instances_to_replace:
      description:
        - The number of instances that the refresh replaces, as far as that is known before it, 0 if it was in progress already.
          AWS also replaces instances of a type that the group no longer has.
      type: int
      returned: always
    launch_template_version:
      description: The version of the launch template that the group had, a number, V($Latest) or V($Default).
      type: str
      returned: always
    new_launch_template_version:
      description: The version that it has once the refresh has succeeded.
      type: str
      returned: always
    percentage_complete:
      description: The percentage of the refresh that AWS returned last. Null without a refresh.
      type: int
      returned: always
    refresh_id:
      description: The ID of the refresh. Null without one.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    status:
      description:
        - V(successful), V(failed), V(cancelled), V(rolled_back) or V(rollback_failed), as the refresh has ended.
          RV(results[].images) has what its instances run then.
        - V(not_replaced) if the refresh was successful, and the group has instances without the image, launches another
          one, or has a further refresh in progress, or if the image was recalled by then, or is not available any more.
        - V(in_progress) if it was still in progress after O(wait_timeout), if its end could not be read, or if it launches
          another image now, or one that was recalled or is not available any more.
        - V(not_started) if its start failed, or another group failed before.
        - V(unknown) if its start failed so that it may have been started nevertheless, which counts as changed, or if it was
          successful, and what its instances run could not be read.
        - V(planned) in check mode, and V(unchanged) if all instances run the image, except those in
          RV(results[].instances_kept).
      type: str
      returned: always
    status_reason:
      description: The reason that AWS gives for the status. Null without one.
      type: str
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "012345678901", "action": "StartInstanceRefresh", "region": "us-east-1", "resource": "web"}]
diff:
  description: The changes, in diff mode. Ansible displays only RV(diff.prepared).
  returned: in diff mode, except if the options or the state are refused
  type: dict
  contains:
    prepared:
      description:
        - A line for each change, at most 200. Changes that regions or accounts have in common are one line.
      type: str
      returned: always
      sample: "20 regions: + launch permission for 12 accounts"
    state_after:
      description: The state after the changes, by region, by account and region, or for what these have in
        common.
      type: dict
      returned: always
    state_before:
      description: The state before the changes, in the same form.
      type: dict
      returned: always
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
omitted:
  description:
    - The names of the values that are null because the result is large, such as C(results) or
      C(diff.state_after). Of RV(failures), at most 100 stay, the first of each code, operation and region
      before others.
  returned: if the result has more than 250,000 characters, so that AWX can store it
  type: list
  elements: str
  sample: [results]
result_path:
  description:
    - A JSON file with the whole result, in the temporary directory of the controller, which only the user
      that runs Ansible can read. In an execution environment, it is deleted with it.
    - The filter P(golden.images.whole_result#filter) returns the registered result with what the file has.
      The modules of this collection read the file of a registered result that they are given.
  returned: if values are omitted
  type: str
"""

from ansible_collections.golden.images.plugins.module_utils._refresh.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
