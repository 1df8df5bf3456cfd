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
  - Checks the options of all steps as their modules do, and fails with all problems at once. The steps run after copies
    that can take hours.
  - Each option with the options of a module is the same mapping that the module gets, for example from C(module_defaults),
    without the results of earlier steps. A step without options, or with an empty mapping, does not run.
  - Needs AWS credentials and boto3 only if O(report) has C(report_s3_uri), and changes nothing. The steps themselves check
    what else requires an AWS call.
author:
  - golden.images contributors !UNKNOWN
options:
  copy:
    description:
      - The options of M(golden.images.ami_copy_regions).
    type: dict
  grant:
    description:
      - The options of M(golden.images.ami_kms_grant).
    type: dict
  share:
    description:
      - The options of M(golden.images.ami_share).
    type: dict
  consumer_copy:
    description:
      - The options of M(golden.images.ami_copy_regions) for the copies that the accounts will own.
    type: dict
  publish:
    description:
      - The options of M(golden.images.ami_publish). Without C(parameter), the distribution does not publish the image.
    type: dict
  verify:
    description:
      - The options of M(golden.images.ami_verify).
      - With C(host_account_id), the account of an inventory host in a play with other hosts, C(account_ids) can be this
        account only, because every host would verify the others.
    type: dict
  report:
    description:
      - The options of M(golden.images.distribution_report). Fails if there is no bucket of C(report_s3_uri).
    type: dict
  unshare_after_copy:
    description:
      - Whether the distribution unshares the image with accounts that own copies. It requires O(consumer_copy).
    type: bool
    default: false
  copy_result:
    description:
      - The result of M(golden.images.ami_copy_regions) in check mode. With it, the module also refuses to verify accounts that
        only a role can read, to copy encrypted images into accounts without C(kms_key_id) of O(consumer_copy), and to give the
        accounts' copies names that are too long.
    type: dict
    default: {}
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
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
    share:
      account_ids: ["012345678901"]
    grant:
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
