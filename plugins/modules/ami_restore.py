#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_restore
version_added: 0.1.0
short_description: Bring retired AMIs back, with the permissions that they had
description:
  - Undoes what M(golden.images.ami_cleanup) has done with images, in all regions at the same time.
  - Disabled images are enabled. Deregistered images come out of the Recycle Bin, each after its snapshots, if a retention
    rule has kept them.
  - Permissions to launch the image, and to create volumes from its snapshots, are put back as they were when the image could
    last be launched. The tombstones of M(golden.images.ami_cleanup) tell them.
  - If a cleanup has deprecated the image, that is cancelled. The tags C(golden.images:cleanup-*) are taken off, so that a
    cleanup's clocks begin anew.
  - Images that are not retired are left alone, with the permissions that they have. A run after one that was interrupted does
    what is left.
author:
  - golden.images contributors !UNKNOWN
options:
  images:
    description:
      - Mapping of region to image id.
      - Or a list of mappings with C(region) and C(image_id), as RV(golden.images.ami_cleanup#module:results) is; other keys
        are ignored, but for C(account_id), which must be the account of the credentials.
      - Or a list of texts, or one text with commas, such as C(eu-west-1/ami-0123456789abcdef0).
    type: raw
    required: true
  tombstone_path:
    description:
      - The file on the host that runs the module to which M(golden.images.ami_cleanup) wrote tombstones.
      - This, O(tombstone_s3_uri) or O(tombstone_ssm_path) is required, unless O(restore_permissions=false). Several may be
        given.
    type: path
  tombstone_s3_uri:
    description:
      - Where in S3 they are, as C(s3://bucket/folder).
    type: str
  tombstone_ssm_path:
    description:
      - Where in Parameter Store they are, in the region of O(region). Earlier versions of the parameters are read, too.
    type: str
  restore_permissions:
    description:
      - Whether permissions are put back. If they are, and a retired image has no tombstone that tells them, nothing at all is
        done.
      - AWS itself brings an image out of the Recycle Bin with the permissions that it had when it was deregistered, also with
        V(false).
    type: bool
    default: true
  allow_public:
    description:
      - Whether images and snapshots that were public may be public again. Without it an image that was disabled comes back
        with all other permissions, and one that was public when it was deregistered is refused.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description:
      - Plans everything and changes nothing. Of an image in the Recycle Bin AWS tells no more than its name, so that its
        tombstone is taken for what comes back.
  diff_mode:
    support: full
    description: Shows each image's state, deprecation, permissions and tags of stages, before and after.
notes:
  - Permissions that accounts have been given since are kept.
  - O(region) only says where parameters of O(tombstone_ssm_path) are.
seealso:
  - module: golden.images.ami_cleanup
"""

EXAMPLES = r"""
- name: Bring an image back in two regions
  golden.images.ami_restore:
    images:
      eu-west-1: ami-0123456789abcdef0
      us-east-1: ami-0fedcba9876543210
    tombstone_path: "{{ playbook_dir }}/retired-images.jsonl"

- name: Bring one image back, to share it with somebody else
  golden.images.ami_restore:
    images:
      - eu-west-1/ami-0123456789abcdef0
    restore_permissions: false
"""

RETURN = r"""
results:
  description: Each image after the task. Images that failed are missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    changed:
      description: Whether anything changed.
      type: bool
      returned: always
    deprecation_time:
      description: The deprecation time, if the image has one.
      type: str
      returned: always
    previous_state:
      description: The state of the image before the task, V(available), V(disabled) or V(recycle_bin).
      type: str
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    launch_permissions:
      description:
        - The launch permissions. The keys are C(account_ids), C(org_arns), C(org_unit_arns) and C(public).
        - Null in check mode for an image in the Recycle Bin that has no tombstone.
      type: dict
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    tombstone:
      description: When the tombstone was written that the permissions come from. Null if they come from none.
      type: str
      returned: always
    volume_permissions:
      description: Mapping of snapshot ID to the accounts that may create volumes from it. Null as in RV(results[].launch_permissions).
      type: dict
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "EnableImage", "region": "eu-west-1", "resource": "ami-0123456789abcdef0"}]
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

from ansible_collections.golden.images.plugins.module_utils.restore.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run

ARGUMENT_SPEC = {
    "images": {"type": "raw", "required": True},
    "tombstone_path": {"type": "path"},
    "tombstone_s3_uri": {"type": "str"},
    "tombstone_ssm_path": {"type": "str"},
    "restore_permissions": {"type": "bool", "default": True},
    "allow_public": {"type": "bool", "default": False},
}


def main():
    run(FLOW, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
