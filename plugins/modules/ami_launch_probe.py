#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_launch_probe
version_added: 0.1.0
short_description: Launch an AMI in every account as a test
description:
  - In every account and region, launches one instance of the smallest type from the image, waits until it is running, and
    terminates it. Only a launch proves that an account can use the keys of an encrypted image, because EC2 uses the keys
    after it has accepted the launch.
  - B(This costs money.) AWS bills at least a minute of each instance, and its volumes.
  - While AWS terminates an instance because a key cannot be used, the image is launched again, for five minutes and at most
    O(wait_timeout) seconds. AWS can take that long until a new grant is usable. AWS does not bill an
    instance that never runs.
  - The instance has no public address, no instance profile and no key pair, requires IMDSv2, and its volumes are deleted with
    it. It is terminated, also after an error.
  - Its tag C(golden.images:probe) has the time, in UTC, after which its run no longer waits for it, O(wait_timeout) seconds and
    five minutes after the launches in the account began. The first run after that time terminates instances of a killed run,
    before it launches any, and those whose tag is not a time one hour after their launch. Without such a run, the instance
    shuts itself down and is thereby terminated, if the image runs shell scripts in user data.
  - The failure of one account does not stop the others.
  - "Needs, in each account: C(ec2:DescribeImages), C(ec2:DescribeInstances), C(ec2:RunInstances), C(ec2:CreateTags) and
    C(ec2:TerminateInstances). To launch an encrypted image, the account also needs the KMS actions in
    C(docs/iam/consumer-launch.json) of this collection, on the image's key."
author:
  - golden.images contributors !UNKNOWN
options:
  account_ids:
    description:
      - The accounts that launch the images, each 12 digits in quotes.
      - No role is assumed for the account whose credentials are used.
    type: list
    elements: str
    required: true
  instance_type:
    description:
      - The instance type. The default depends on the image's architecture, C(t3.nano), C(t4g.nano) or C(t2.nano).
    type: str
  wait_timeout:
    description:
      - Seconds to wait until all instances of an account are running, at least 1.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.images_by_target
  - golden.images.consumer_role
  - golden.images.launch
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Reads the images and the instances of earlier runs, and returns what would be launched.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - The task is changed if an instance is launched or terminated, that is, in every run. Set C(changed_when) to override this,
    as the role P(golden.images.verify#role) does.
  - Runs at the same time do not affect each other, also with the same image and account.
  - The instance types that an image supports are read with botocore 1.43.82 or newer. With an older one, the default of
    O(instance_type) can be a type that the image does not support.
"""

EXAMPLES = r"""
- name: Launch an encrypted image in this account and in another one
  golden.images.ami_launch_probe:
    images:
      us-east-1: ami-0123456789abcdef0
    account_ids: ["012345678901", "111111111111"]
    consumer_role_name: golden-consumer
    subnet_ids:
      us-east-1:
        "012345678901": subnet-0123456789abcdef0
        "111111111111": subnet-0fedcba9876543210

- name: Launch one image with another instance type
  golden.images.ami_launch_probe:
    image_id: ami-0123456789abcdef0
    region: us-east-1
    account_ids: ["111111111111"]
    instance_type: t3.micro
    subnet_ids:
      us-east-1: subnet-0fedcba9876543210
"""

RETURN = r"""
results:
  description: The level that each account reached with each image.
  returned: success, and failure after something was launched
  type: list
  elements: dict
  sample:
    - account_id: "012345678901"
      findings: []
      image_id: ami-0123456789abcdef0
      instance_id: i-0123456789abcdef0
      instance_type: t3.nano
      level: launched
      region: us-east-1
      subnet_id: subnet-0123456789abcdef0
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    findings:
      description: Why the account did not reach a higher level. Empty if the image was launched, or would be in check mode.
      type: list
      elements: dict
      returned: always
      contains:
        account_id:
          description: The account.
          type: str
          returned: always
        blocks_launch:
          description: V(blocking) if the finding blocks the launch, V(unknown) if it may block it.
          type: str
          returned: always
        code:
          description: The code of the finding. Codes are stable, and C(docs/codes.md) of this collection lists them.
          type: str
          returned: always
        error_code:
          description: The RV(failures[].error_code) of the call that failed, if the finding is about one. Otherwise null.
          type: str
          returned: always
        image_id:
          description: The AMI ID.
          type: str
          returned: always
        message:
          description: The finding as a sentence.
          type: str
          returned: always
        region:
          description: The region.
          type: str
          returned: always
        remedy:
          description: What to do about it.
          type: str
          returned: always
        severity:
          description: V(high) if the finding blocks the launch, V(medium) if that is unknown.
          type: str
          returned: always
    image_id:
      description: The AMI ID. Null for a copy that does not exist yet.
      type: str
      returned: always
    instance_id:
      description: The instance, which has been terminated. Null if none was launched.
      type: str
      returned: always
    instance_type:
      description: The instance type.
      type: str
      returned: always
    level:
      description:
        - V(launched) if the instance was running.
        - V(authorized) if AWS accepted the launch and the instance did not start, for example because a key could not be used.
        - V(visible) if AWS did not accept the launch, or in check mode, and the image is visible to the account.
        - Null if the image is not visible to the account.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    subnet_id:
      description: The subnet.
      type: str
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was launched
  type: list
  elements: dict
  sample: [{"account_id": "012345678901", "action": "RunInstances", "region": "us-east-1", "resource": null}]
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

from ansible_collections.golden.images.plugins.module_utils._launch_probe.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
