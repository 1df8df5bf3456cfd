#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_restore
version_added: 0.1.0
short_description: Restore retired AMIs with their permissions
description:
  - Reverts what M(golden.images.ami_cleanup) did to images, in all regions at the same time.
  - Enables disabled images. Restores deregistered images from the Recycle Bin, each after its snapshots, if a retention rule
    retained them.
  - Adds the permissions to launch the image and to create volumes from its snapshots that existed before the image was
    disabled or deregistered. They are read from the tombstones of M(golden.images.ami_cleanup).
  - Cancels the deprecation if a cleanup set it, or sets the later date again that the image had before. Deletes the tags
    C(golden.images:cleanup-*), so that the waiting periods of a cleanup start again.
  - Refuses an image that was recalled (tag C(golden.images:recalled)), by its tags, those in the Recycle Bin, or those of its
    last tombstone if AWS does not return these.
  - Images that are not retired keep their permissions. A run after an interrupted one completes it.
author:
  - golden.images contributors !UNKNOWN
options:
  images:
    description:
      - Mapping of region to image ID.
      - Or a list of mappings with C(region) and C(image_id), such as RV(golden.images.ami_cleanup#module:results). If a mapping
        has C(account_id), it must be the account of the credentials. Other keys are ignored.
      - Or a list of strings such as C(eu-west-1/ami-0123456789abcdef0).
    type: raw
    required: true
  tombstone_path:
    description:
      - The file on the host that runs the module to which M(golden.images.ami_cleanup) wrote tombstones.
      - This, O(tombstone_s3_uri) or O(tombstone_ssm_path) is required, unless O(restore_permissions=false). More than one can
        be set.
    type: path
  tombstone_s3_uri:
    description:
      - The location of tombstones in S3, as C(s3://bucket/folder).
    type: str
  tombstone_s3_bucket_owner:
    description:
      - The account that the bucket of O(tombstone_s3_uri) must belong to, by default that of the credentials.
    type: str
  tombstone_ssm_path:
    description:
      - The path of tombstones in Parameter Store, in the region of O(region). Earlier versions of the parameters are read, too.
    type: str
  restore_permissions:
    description:
      - Whether to add the permissions. If V(true) and a retired image has no tombstone with its permissions, nothing is changed.
      - AWS restores an image from the Recycle Bin with the permissions that it had when it was deregistered, also with V(false).
    type: bool
    default: true
  allow_public:
    description:
      - Whether images and snapshots that were public can become public again. If V(false), a disabled image is restored with
        all other permissions, and an image that was public when it was deregistered is refused.
      - An image in the Recycle Bin is also refused if that is not known, because it has no tombstone of its deregistration,
        unless its tombstone shows that all its snapshots are encrypted.
      - If an image fails, whatever this task made public of it, or restored as public, is made private again. What could not be
        made private again is a failure with the code V(still_public).
    type: bool
    default: false
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.rate
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description:
      - Plans everything and changes nothing. AWS does not return the permissions of an image in the Recycle Bin, so that they
        are taken from its tombstone, as are its tags if AWS does not return them.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - Permissions that were added since are kept.
  - If no tag shows that the cleanup that wrote the tombstone disabled the image, a warning says so. Either the image was
    disabled by other means than the cleanup, or a later cleanup removed the tag because the image was needed. The image
    then also gets permissions that were removed after the tombstone was written.
  - O(region) is only used for O(tombstone_s3_uri) and O(tombstone_ssm_path), whose parameters are there. These are refused if
    it is in another partition than the images.
  - The watermarks of an image, with which it cannot be public, are read with botocore 1.43.27 or newer. With an older one, AWS
    refuses to make the image public, and its snapshots stay private.
seealso:
  - module: golden.images.ami_cleanup
"""

EXAMPLES = r"""
- name: Restore an image in two regions
  golden.images.ami_restore:
    images:
      eu-west-1: ami-0123456789abcdef0
      us-east-1: ami-0fedcba9876543210
    tombstone_path: "{{ playbook_dir }}/retired-images.jsonl"

- name: Restore one image without its permissions
  golden.images.ami_restore:
    images:
      - eu-west-1/ami-0123456789abcdef0
    restore_permissions: false
"""

RETURN = r"""
results:
  description:
    - Each image after the task. Images that failed are missing.
    - An image without an account or organization that AWS rejected is restored, and not missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      changed: true
      deprecation_time: null
      image_id: ami-0123456789abcdef0
      launch_permissions:
        account_ids: ["012345678901"]
        org_arns: []
        org_unit_arns: []
        public: false
      previous_state: disabled
      region: us-east-1
      tombstone: "2026-11-24T12:00:00Z"
      volume_permissions:
        snap-0123456789abcdef0: {"account_ids": [], "public": false}
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
        - The launch permissions.
        - A warning names images and snapshots whose restored permissions AWS did not return within a minute.
        - Null in check mode for an image in the Recycle Bin that has no tombstone.
      type: dict
      returned: always
      contains:
        account_ids:
          description: The accounts.
          type: list
          elements: str
          returned: always
        org_arns:
          description: The ARNs of organizations.
          type: list
          elements: str
          returned: always
        org_unit_arns:
          description: The ARNs of organizational units.
          type: list
          elements: str
          returned: always
        public:
          description: Whether the image is public.
          type: bool
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
      description:
        - Mapping of snapshot ID to the accounts that may create volumes from it.
        - Null as in RV(results[].launch_permissions), and with O(restore_permissions=false), which does not read it.
      type: dict
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "EnableImage", "region": "eu-west-1", "resource": "ami-0123456789abcdef0"}]
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

from ansible_collections.golden.images.plugins.module_utils._restore.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
