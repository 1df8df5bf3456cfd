#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_kms_grant
version_added: 0.1.0
short_description: Let every consumer use the keys that an AMI is encrypted under
description:
  - An encrypted AMI that is shared cannot be launched until its consumers may use its keys, in every region. This module
    finds the keys that the images' snapshots really use, or takes them from O(kms_key_ids), and opens them.
  - Accounts, roles and users get a grant, or are named in the key policy. Organizations and organizational units can only
    be reached through the key policy.
  - Works in all regions at the same time. Everything is read and checked before the first key is opened.
  - Only adds, unless O(purge_grants=true) or O(state=absent). Only grants and policy statements that this module made
    are ever changed or removed. It knows its grants by the name C(golden-images:) and a hash, and its statements by a Sid
    that begins with C(GoldenImages). Everything else in a key policy is written back as it was, byte for byte.
    A statement that denies something under such a Sid is refused.
  - The consumers also need an IAM policy of their own account that lets them use the key.
author:
  - golden.images contributors !UNKNOWN
options:
  kms_key_ids:
    description:
      - Mapping of region to key, as M(golden.images.ami_copy_regions) returns it, so that keys can be opened while the copies
        are still running. Null for a region whose image is not encrypted.
      - Exactly one of O(kms_key_ids), O(images) and O(image_id) is required.
    type: dict
  images:
    description:
      - Mapping of region to image id, as M(golden.images.ami_copy_regions) returns it. The keys are those that the images'
        snapshots really use.
    type: dict
  image_id:
    description:
      - The id of one image, in O(region).
    type: str
  principals:
    description:
      - ARNs of roles and users, for access narrower than that of a whole account.
    type: list
    elements: str
    default: []
  org_ids:
    description:
      - Organizations by their ids, V(o-a1b2c3d4e5), as key policies name them. Only with O(state=absent).
    type: list
    elements: str
    default: []
  org_unit_ids:
    description:
      - Organizational units by their ids, V(ou-ab12-11111111), as key policies name them. Only with O(state=absent).
    type: list
    elements: str
    default: []
  operations:
    description:
      - What the consumers may do with the key.
      - By default what launching and copying needs, C(CreateGrant), C(Decrypt), C(DescribeKey), C(GenerateDataKey),
        C(GenerateDataKeyWithoutPlaintext), C(ReEncryptFrom) and C(ReEncryptTo).
    type: list
    elements: str
    default: []
  access_method:
    description:
      - V(grant) gives each account, role and user a grant. They do not show in the key policy, can be revoked one by one,
        and each costs one call. A key holds 50,000.
      - V(key_policy) names them in the key policy instead, one call for all, but a policy holds 32 KB, some 900 accounts.
        There is no protection against somebody else writing the policy at the same time.
      - V(auto) uses grants for accounts, roles and users, and the key policy for organizations and units.
    type: str
    choices: [auto, grant, key_policy]
    default: auto
  auto_scaling:
    description:
      - Whether each account's Auto Scaling groups are to launch the image as well. For that the account itself has to create
        a grant for its service-linked role, which this module does in its name with O(consumer_role_name).
      - The roles have to be allowed to call C(kms:CreateGrant).
      - The accounts then also get the operation C(Encrypt), since a grant cannot hand on more than it holds.
    type: bool
    default: false
  state:
    description:
      - V(present) opens the keys, V(absent) revokes what this module gave to those named.
    type: str
    choices: [present, absent]
    default: present
  purge_grants:
    description:
      - Whether grants and policy statements that this module made for anybody who is not named are removed. New ones are made
        first.
    type: bool
    default: false
extends_documentation_fragment:
  - golden.images.consumers
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing. Images that do not exist yet (null) are left out.
  diff_mode:
    support: full
    description: Shows this module's grants and policy statements before and after.
"""

EXAMPLES = r"""
- name: Let two accounts use the keys of an image
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901", "123456789012"]

- name: Open the keys to an organization while the copies are running
  golden.images.ami_kms_grant:
    kms_key_ids: "{{ copied.kms_key_arns }}"
    org_arns:
      - arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5

- name: Let the accounts' Auto Scaling groups launch the image too
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
    auto_scaling: true
    consumer_role_name: golden-consumer

- name: Close the keys to an account that leaves
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
    state: absent
"""

RETURN = r"""
kms_key_arns:
  description: Mapping of region to the ARN of the key that access was granted to. Null if the image is not encrypted.
  returned: success, and failure after something was changed
  type: dict
results:
  description: The keys of each region. Regions that failed are missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that owns the keys.
      type: str
      returned: always
    changed:
      description: Whether anything changed in this region.
      type: bool
      returned: always
    kms_keys:
      description:
        - The keys. C(kms_key_arn) is the ARN, C(grants) are the grants of this module, and C(policy_statements) its statements
          in the key policy, if the policy was read.
      type: list
      elements: dict
      returned: always
    region:
      description: The region.
      type: str
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "CreateGrant", "region": "eu-west-1", "resource": "arn:aws:kms:…"}]
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
        - C(docs/how-it-works.md) of this collection lists the own codes.
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
        - V(aws) if AWS returned an error, V(sdk) if botocore failed before an answer, else V(collection).
      type: str
      returned: always
"""

from ansible_collections.golden.images.plugins.module_utils.kms_grant.flow import ARGUMENT_SPEC, FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run


def main():
    run(
        FLOW,
        ARGUMENT_SPEC,
        mutually_exclusive=[("images", "image_id", "kms_key_ids")],
        required_one_of=[("images", "image_id", "kms_key_ids")],
    )


if __name__ == "__main__":
    main()
