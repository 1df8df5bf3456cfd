#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_share_diagnose
version_added: 0.1.0
short_description: Diagnose why an account can, or cannot, launch an AMI
description:
  - Checks every image in its owner's account and, with O(consumer_role_name), in every account that would launch it. Returns
    for each image and account whether the account can launch it and, if not, why and how to fix that.
  - "In the owner's account it reads: whether the image is in the region, its state, launch and volume permissions, whether
    each of its keys is enabled and allows the account by a grant or by its key policy, block public access, deprecation."
  - "In the launching account it reads: whether the account can see the image, Allowed AMIs, a dry run of C(RunInstances),
    the account's subnets if it has no default VPC and none is in O(subnet_ids), and dry runs of the KMS operations of a
    launch."
  - With O(parameter), it reads in both whether the account can launch the image by the owner's parameter.
  - Policy conditions that cannot be evaluated make a finding V(unknown).
  - Changes nothing, in check mode or not. Dry runs do not use keys as a launch does, so only a real launch
    (M(golden.images.ami_launch_probe)) proves that an encrypted image can be launched.
  - What cannot be read in one account or region is a finding and fails the task; everything else is still returned.
author:
  - golden.images contributors !UNKNOWN
options:
  account_ids:
    description:
      - The accounts that would launch the images, each 12 digits as text in quotes.
      - No role is assumed for the account of the credentials.
    type: list
    elements: str
    required: true
  instance_type:
    description:
      - The instance type of the dry run. The default is the smallest type of the image's architecture, C(t3.nano),
        C(t4g.nano) or C(t2.nano).
    type: str
  fail_on:
    description:
      - The task fails, after everything has been read, if there is a finding whose RV(findings[].blocks_launch) is V(blocking),
        or with V(unknown) also one that is V(unknown).
      - Findings that are V(harmless) never fail the task. What could not be read always fails it.
    type: str
    choices: [none, unknown, blocking]
    default: none
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.images_by_target
  - golden.images.consumer_role
  - golden.images.launch
  - golden.images.parameter
  - golden.images.processes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Reads and returns the same.
  diff_mode:
    support: none
    description: Nothing is changed, so there is no difference.
notes:
  - Without O(consumer_role_name) other accounts are checked in the owner's account only, and RV(results[].level) is null.
  - The codes of the findings are stable. C(docs/diagnosing.md) of this collection explains each.
  - The instance types that an image supports are read with botocore 1.43.82 or newer. With an older one, the default of
    O(instance_type) can be a type that the image does not support.
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
seealso:
  - module: golden.images.ami_launch_probe
"""

EXAMPLES = r"""
- name: Check in the owner's account whether these accounts can launch the image
  golden.images.ami_share_diagnose:
    image_id: ami-0123456789abcdef0
    region: eu-west-1
    account_ids: ["012345678901", "123456789012"]

- name: Check in the account itself as well
  golden.images.ami_share_diagnose:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
  register: diagnosis_result

- name: Show how to fix what blocks or may block a launch
  ansible.builtin.debug:
    msg: "{{ diagnosis_result.findings | rejectattr('blocks_launch', 'equalto', 'harmless')
      | map(attribute='remedy') }}"
"""

RETURN = r"""
results:
  description: The diagnosis of each image for each account.
  returned: success, and failure after all was read
  type: list
  elements: dict
  sample:
    - account_id: "012345678901"
      can_launch: "yes"
      findings: []
      image_id: ami-0123456789abcdef0
      key_use: proven
      level: authorized
      owner_id: "111122223333"
      parameter_read: null
      principal: arn:aws:iam::012345678901:role/golden-consumer
      region: us-east-1
  contains:
    account_id:
      description: The account whose launch of the image is diagnosed.
      type: str
      returned: always
    can_launch:
      description:
        - V(no) if a finding blocks the launch, V(unknown) if a finding may block it, otherwise V(yes).
        - V(yes) proves no more than RV(results[].level) does.
      type: str
      returned: always
      sample: "no"
    findings:
      description: The findings, as in RV(findings).
      type: list
      elements: dict
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    level:
      description:
        - The level that was proved with the account's own credentials. V(visible) means that the image is visible to it,
          V(authorized) that AWS would accept the launch, which does not cover keys; see RV(results[].key_use).
        - With O(parameter), V(authorized) also needs RV(results[].parameter_read).
        - Null if the image is not visible to the account, or if the account's credentials were not used.
      type: str
      returned: always
      sample: authorized
    key_use:
      description:
        - Whether RV(results[].principal) can use the keys of the image, as far as that can be known without a launch.
          V(proven), V(refused), or V(uncertain) if EC2 may be allowed what is refused in a direct call, or if a key could not be
          read or tried.
        - Null if the image is not encrypted, is not visible to the account, or if the account's credentials were not used.
      type: str
      returned: always
      sample: proven
    owner_id:
      description: The account that owns the image.
      type: str
      returned: always
    parameter_read:
      description:
        - Whether the account reads the ID of the image in O(parameter) of the image's owner, by its ARN.
        - Null without O(parameter), or if the account's credentials were not used.
      type: bool
      returned: always
    principal:
      description:
        - The ARN of the role or user that was checked in the account. Null if none was. That of the credentials themselves, if it is
          a role, lacks the path of the role.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
findings:
  description: All findings in one list.
  returned: success, and failure after all was read
  type: list
  elements: dict
  contains:
    account_id:
      description: The account whose launch of the image is diagnosed.
      type: str
      returned: always
    code:
      description: The code of the finding. Codes are stable.
      type: str
      returned: always
      sample: not_shared
    error_code:
      description: The C(error_code) of the call that failed, if the finding is about one. Otherwise null.
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
      description:
        - V(high) if the finding blocks a launch, V(medium) if that is unknown, and V(low) if it is harmless. Also V(high) for a
          public image.
      type: str
      returned: always
    blocks_launch:
      description: V(blocking) if the finding blocks the launch, V(unknown) if it may block it, V(harmless) if it does not.
      type: str
      returned: always
actions:
  description: Always empty, since nothing is changed.
  returned: success, and failure after all was read
  type: list
  elements: dict
failures:
  description: What could not be read, and the findings that O(fail_on) makes failures.
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

from ansible_collections.golden.images.plugins.module_utils._diagnose.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
