#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_check
version_added: 0.1.0
short_description: Check the options of a distribution before its first step
description:
  - Checks these options as M(golden.images.ami_copy_regions), M(golden.images.ami_share), M(golden.images.ami_kms_grant),
    M(golden.images.ami_publish), M(golden.images.ami_share_diagnose) and M(golden.images.ami_launch_probe) do, and fails with all problems at once. These
    steps run after copies that can take hours.
  - Needs AWS credentials and boto3 only if O(report_s3_uri) is set, and changes nothing. The steps themselves check what
    else requires an AWS call.
author:
  - golden.images contributors !UNKNOWN
options:
  source_image_id:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  source_parameter:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  source_filters:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: dict
  source_owners:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: list
    elements: str
    default: [self]
  source_region:
    description:
      - As in M(golden.images.ami_copy_regions). If it is not set, the options of the copies are not checked.
    type: str
  best_effort_regions:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: list
    elements: str
    default: []
  name:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  tags:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: dict
  kms_key_id:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: str
  kms_key_ids:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: dict
  reencrypt_source:
    description:
      - As in M(golden.images.ami_copy_regions).
    type: bool
    default: false
  consumer_kms_key_id:
    description:
      - O(kms_key_id) of the copies into accounts.
    type: str
  copy_wait_timeout:
    description:
      - As O(golden.images.ami_copy_regions#module:wait_timeout) in M(golden.images.ami_copy_regions).
    type: int
    default: 10800
  shared_tags:
    description:
      - As in M(golden.images.ami_share).
    type: dict
  share_snapshots:
    description:
      - As in M(golden.images.ami_share).
    type: bool
    default: true
  purge_launch_permissions:
    description:
      - As in M(golden.images.ami_share).
    type: bool
    default: false
  principals:
    description:
      - As in M(golden.images.ami_kms_grant).
    type: list
    elements: str
    default: []
  access_method:
    description:
      - As in M(golden.images.ami_kms_grant).
    type: str
    choices: [auto, grant, key_policy]
    default: auto
  auto_scaling:
    description:
      - As in M(golden.images.ami_kms_grant).
    type: bool
    default: false
  auto_scaling_roles:
    description:
      - As in M(golden.images.ami_kms_grant).
    type: list
    elements: str
    default: [AWSServiceRoleForAutoScaling]
  purge_grants:
    description:
      - As in M(golden.images.ami_kms_grant).
    type: bool
    default: false
  publish_parameter:
    description:
      - As O(golden.images.ami_publish#module:parameter) in M(golden.images.ami_publish). If it is not set, the
        distribution does not publish the image.
    type: str
  parameter_tags:
    description:
      - As in M(golden.images.ami_publish).
    type: dict
  launch_templates:
    description:
      - As in M(golden.images.ami_publish).
    type: list
    elements: str
    default: []
  launch_template_base_version:
    description:
      - As in M(golden.images.ami_publish).
    type: str
    choices: [default, latest]
  copy_into_accounts:
    description:
      - Whether the distribution copies the image into O(account_ids).
    type: bool
    default: false
  verify_level:
    description:
      - The level that the distribution verifies, see P(golden.images.verify#role).
    type: str
    choices: [none, visible, authorized, launched]
    default: none
  host_account_id:
    description:
      - The account of the inventory host, if the play has other hosts as well. O(account_ids) can then be this account only,
        because every host would verify the others.
    type: str
  verify_wait_timeout:
    description:
      - As O(golden.images.ami_launch_probe#module:wait_timeout) in M(golden.images.ami_launch_probe).
    type: int
    default: 300
  instance_type:
    description:
      - As in M(golden.images.ami_launch_probe).
    type: str
  regions:
    description:
      - The regions of the distribution.
    type: list
    elements: str
    default: []
  report_path:
    description:
      - As in M(golden.images.distribution_report).
    type: path
  report_dir:
    description:
      - As in M(golden.images.distribution_report).
    type: path
  report_s3_uri:
    description:
      - As in M(golden.images.distribution_report). Fails if there is no such bucket.
    type: str
  report_s3_bucket_owner:
    description:
      - As in M(golden.images.distribution_report).
    type: str
  account_names:
    description:
      - As in M(golden.images.distribution_report).
    type: dict
    default: {}
  unshare_after_copy:
    description:
      - Whether the distribution unshares the image with accounts that own copies. It requires O(copy_into_accounts).
    type: bool
    default: false
  planned_copies:
    description:
      - The RV(golden.images.ami_copy_regions#module:results) of M(golden.images.ami_copy_regions) in check mode. With them, the
        module also refuses to verify accounts that only a role can read, to copy encrypted images into accounts without
        O(consumer_kms_key_id), and to give the accounts' copies names that are too long.
    type: list
    elements: dict
requirements:
  - boto3 >= 1.41.0, only with O(report_s3_uri)
  - botocore >= 1.41.0, only with O(report_s3_uri)
extends_documentation_fragment:
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - golden.images.consumers
  - golden.images.consumer_role
  - golden.images.launch
attributes:
  check_mode:
    support: full
    description: The module never changes anything.
  diff_mode:
    support: none
    description: The module never changes anything.
"""

EXAMPLES = r"""
- name: Check the consumers before a copy that takes hours
  golden.images.distribution_check:
    account_ids: ["012345678901"]
    principals:
      - arn:aws:iam::012345678901:role/deploy
"""

RETURN = r"""
actions:
  description: Always empty, since nothing is changed.
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

from ansible_collections.golden.images.plugins.module_utils._distribution.flow_check import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
