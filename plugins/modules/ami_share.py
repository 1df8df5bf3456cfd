#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_share
version_added: 0.1.0
short_description: Share an AMI and its snapshots, in every region
description:
  - Gives accounts, organizations and organizational units permission to launch an AMI, and accounts permission to create
    volumes from its snapshots, which they need to copy it.
  - Works in all regions of O(images) at the same time. Everything is read and checked in all regions before the first
    permission is changed.
  - Adds nothing to an image that was recalled (tag C(golden.images:recalled)), also in O(best_effort_regions), and takes access
    to it away.
  - Only adds, unless O(purge_launch_permissions=true) or O(state=absent).
  - A consumer that AWS rejects keeps no other one from access, and fails the task after all others have got it, unless
    O(best_effort_consumers=true).
  - A task that shares no image fails, even if what failed is in O(best_effort_regions) or in O(grant_results).
  - In each region snapshots are shared before the image, and the image is unshared before its snapshots. With all accounts,
    they are shared after the image, because AWS may refuse that for the image.
author:
  - golden.images contributors !UNKNOWN
options:
  group:
    description:
      - V(all) makes the image public, which also needs O(allow_public=true).
    type: str
    choices: [all]
  allow_public:
    description:
      - Must be true to make an image public with O(group=all).
      - AWS refuses public sharing of encrypted images, images with product codes and images with watermarks, and while block
        public access is on. This is checked before anything is changed.
      - If a region fails, whatever this task made public in it is made private again. What could not be made private again is
        a failure with the code V(still_public).
    type: bool
    default: false
  state:
    description:
      - V(present) shares with the named consumers, V(absent) unshares from them.
      - After V(absent), an account still has access if the image is shared with its organization or organizational unit. The
        module warns about that.
    type: str
    choices: [present, absent]
    default: present
  purge_launch_permissions:
    description:
      - Whether all consumers that are not named lose access to the image and its snapshots.
      - With O(share_snapshots=false), a named account keeps the access to snapshots that it has, and gets no more.
      - Named consumers get access before others lose it. Only if both together exceed AWS's quota of AMI sharing, 1,000 for
        each image by default, named accounts get it after others have lost it.
    type: bool
    default: false
  allow_empty_purge:
    description:
      - Whether O(purge_launch_permissions=true) may remove all launch permissions when no consumer is named, or
        O(consumer_copy_result) leaves none.
    type: bool
    default: false
  share_snapshots:
    description:
      - Whether the snapshots are shared (or unshared) with the image. O(purge_launch_permissions=true) removes access to them
        in any case.
      - Snapshots can be shared with accounts only, not with organizations or organizational units.
    type: bool
    default: true
  snapshot_ids:
    description:
      - Unshare only these of the images' snapshots, and keep the images' launch permissions.
      - Only with O(state=absent).
    type: list
    elements: str
    default: []
  snapshots:
    description:
      - Mapping of region to the IDs of snapshots to unshare, instead of O(images) and O(image_id). This is for snapshots that no
        image uses any more.
      - Only with O(state=absent).
    type: dict
  shared_tags:
    description:
      - Tags that the consumers can see, written to the image with the prefix C(ec2:SharedTag/).
      - Consumers cannot see other tags of an image that is shared with them.
    type: dict
  source_image_id:
    description:
      - The image that the null entries of O(images) will be copies of. Used only in check mode, to plan for its volumes.
    type: str
  source_region:
    description:
      - The region of O(source_image_id).
    type: str
  copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions), without C(account_ids), instead of O(images), O(image_id),
        O(source_image_id) and O(source_region).
    type: dict
  grant_results:
    description:
      - The registered results of M(golden.images.ami_kms_grant) of the same play. The one of a task that was skipped counts as
        none.
      - The KMS keys that all consumers can use according to them are not read again, to warn about consumers that cannot use
        them. In check mode, the access that they plan counts.
      - The regions in which they failed are left out, and so are the accounts that KMS has rejected. If there are such accounts,
        nothing is purged, so that they keep the launch permissions that they have.
    type: list
    elements: dict
    default: []
  share_result:
    description:
      - The registered result of an earlier task of this module for the images in O(copy_result), such as for O(state=absent).
        The regions in which it failed are left out. The one of a task that was skipped counts as none.
    type: dict
  best_effort_consumers:
    description:
      - Whether the task succeeds if AWS refuses nothing but some of the consumers of an image. They are in RV(failures), and
        C(msg) is the message that the task would fail with.
    type: bool
    default: false
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.best_effort_regions
  - golden.images.images
  - golden.images.consumers
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - The watermarks of an image are read with botocore 1.43.27 or newer. With an older one, AWS refuses to make the image
    public, and its snapshots stay private.
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
"""

EXAMPLES = r"""
- name: Share the copies of an image with two accounts and an organization
  golden.images.ami_share:
    images: "{{ copied.images }}"
    account_ids: ["012345678901", "123456789012"]
    org_arns:
      - arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5
    shared_tags:
      version: "2026.11"

- name: Share one image with only these accounts
  golden.images.ami_share:
    image_id: ami-0123456789abcdef0
    region: eu-west-1
    account_ids: ["012345678901"]
    purge_launch_permissions: true

- name: Unshare an image from an account
  golden.images.ami_share:
    images:
      eu-west-1: ami-0123456789abcdef0
      us-east-1: ami-0fedcba9876543210
    account_ids: ["012345678901"]
    state: absent

- name: Unshare a snapshot that no image uses any more
  golden.images.ami_share:
    snapshots:
      eu-west-1: [snap-0123456789abcdef0]
    account_ids: ["012345678901"]
    state: absent
"""

RETURN = r"""
failed_regions:
  description: The regions in which the image is not shared, because of this task or of those in O(grant_results).
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: []
rejected_account_ids:
  description: The accounts that AWS has rejected in this task, or in those in O(grant_results).
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: []
images:
  description: The images, as specified in the options.
  returned: success, and failure after something was changed
  type: dict
  sample: {"eu-west-1": "ami-0123456789abcdef0"}
results:
  description:
    - Each image, and its snapshots. Regions that failed are missing.
    - If AWS rejected only some of the consumers in a region (C(consumer_rejected)), the region is listed, and has the
      permissions without them.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      changed: true
      consumers_without_key: 0
      image_id: ami-0123456789abcdef0
      region: eu-west-1
      shared_tags: {version: "2026.11"}
      snapshot_ids: [snap-0123456789abcdef0]
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    changed:
      description: Whether anything changed in this region.
      type: bool
      returned: always
    consumers_without_key:
      description:
        - How many of the consumers certainly cannot use the KMS key of a snapshot, so that their launches fail. A warning names
          them. Those of an image under another account's key, or with an associated key, are not known and not counted.
        - Null if the keys could not be read, if the image does not exist yet, and with O(state=absent).
      type: int
      returned: always
    image_id:
      description: The AMI ID. Null with O(snapshots).
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    shared_tags:
      description: The image's tags that consumers can see, without the prefix.
      type: dict
      returned: always
    snapshot_ids:
      description:
        - The snapshots whose permissions are in RV(volume_permissions), of an image that does not exist yet by the names of its
          devices. Empty with O(share_snapshots=false), unless O(purge_launch_permissions=true). With O(snapshot_ids), only these
          snapshots.
      type: list
      elements: str
      returned: always
launch_permissions:
  description:
    - The launch permissions of the images in RV(results). Consumers that have all their images in common are one item, so that
      each is listed once. With O(snapshots), there are none.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_ids: ["012345678901"]
      org_arns: []
      org_unit_arns: []
      public: false
      regions: [eu-west-1]
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
      description: Whether the images are public.
      type: bool
      returned: always
    regions:
      description: The regions of the images.
      type: list
      elements: str
      returned: always
volume_permissions:
  description:
    - The accounts that may create volumes from the snapshots in RV(results). Accounts that have all their snapshots in common
      are one item, so that each is listed once.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_ids: ["012345678901"]
      public: false
      snapshots: {eu-west-1: [snap-0123456789abcdef0]}
  contains:
    account_ids:
      description: The accounts.
      type: list
      elements: str
      returned: always
    public:
      description: Whether the snapshots are public.
      type: bool
      returned: always
    snapshots:
      description: Mapping of region to the snapshots, as in RV(results[].snapshot_ids).
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
  sample: [{"account_id": "111122223333", "action": "ModifyImageAttribute", "region": "eu-west-1", "resource": "ami-0123456789abcdef0"}]
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

from ansible_collections.golden.images.plugins.module_utils._runner import run
from ansible_collections.golden.images.plugins.module_utils._share.flow import FLOW


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
