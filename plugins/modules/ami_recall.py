#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_recall
version_added: 0.1.0
short_description: Recall a bad release of an AMI
description:
  - Tags all images of the release in the account whose credentials are used with C(golden.images:recalled), so that no task
    with credentials of that account distributes or publishes them, and moves what names them back to the previous good image.
  - The images are the source itself, its copies, by the tag C(golden.images:source) or as AWS records it, and copies of these.
    One that is deregistered is known by its label in O(parameter), or by the tombstone of an earlier run.
  - A parameter that names one of them gets the image of its newest version with another release again. A launch template in
    O(launch_templates) moves if its default and latest version have the ID of such an image. All else stays as it is and is named
    in RV(results), with the reason; a template of which only one of the two has such an ID fails the task after that.
  - What another client changes during the task stays as it is, and fails the task.
  - Everything is read, and each target is planned and checked as a rollback of M(golden.images.ami_publish), before the first
    change. A target that cannot go back stays as it is, and fails the task after the others were moved.
  - What was there is written to O(tombstone_path) or O(tombstone_s3_uri) before the first change. With O(state=absent), all that
    is as the recall left it goes back to what it named before.
  - With O(level=block), then removes the permissions of the images, so that no other account launches them, unless that breaks
    a consumer that O(accept_breaking) does not have. O(block_consumer_copies) disables what these accounts made of them, too.
  - Changes no deprecation or key, and stops no instance.
author:
  - golden.images contributors !UNKNOWN
options:
  state:
    description:
      - V(present) recalls the release.
      - V(absent) takes the recall back, as the tombstone has it. Images, regions, accounts and pointers are those of the
        tombstone, and the options for them are not used.
    type: str
    choices: [present, absent]
    default: present
  source_image_id:
    description:
      - The source image of the release, from which the copies were made. It need not exist any more.
    type: str
    required: true
  source_region:
    description:
      - The region of O(source_image_id).
    type: str
    required: true
  regions:
    description:
      - The regions in which to recall the release, by default all enabled regions of the account. Copies of copies are searched
        for in all of these.
    type: list
    elements: str
    default: []
  parameter:
    description:
      - The name of the parameter in which the release was published, the same in every region and account.
      - Without it, images are only tagged.
    type: str
  launch_templates:
    description:
      - Names of launch templates to move if they launch an image of the release by its ID, the same in every region and account.
        For a single region, IDs can be used, too.
      - One that takes its image from O(parameter) moves with it, and only must fit the earlier image.
    type: list
    elements: str
    default: []
  launch_template_base_version:
    description:
      - The version that a template's new version is based on, as in M(golden.images.ami_publish). With V(default), only the
        default version counts.
    type: str
    choices: [default, latest]
  previous_source_image_id:
    description:
      - The source of the images to go back to, found by their label as in a rollback of M(golden.images.ami_publish). By default,
        each target goes back to the newest version of its own history that names another release which was not recalled.
    type: str
  account_ids:
    description:
      - Other accounts in which the release was published, each 12 digits in quotes. Each must have the role
        O(consumer_role_name).
      - With O(withdraw_only), also those in RV(to_look_into).
      - Without O(parameter), O(level=block) only looks into them. Without the role, others than the account of the credentials
        are then refused before anything is changed.
    type: list
    elements: str
    default: []
  require_shared:
    description:
      - Whether an earlier image of the account whose credentials are used must be shared with another account.
      - If the parameter of that account is shared through AWS RAM, the image must be shared with all that the parameter is shared
        with. A target whose image certainly is not, or whose resource shares cannot be read, stays as it is, and fails the task
        after the others were moved. Resource shares are read if a parameter of the advanced tier moves, as no other can be shared.
      - What only AWS Organizations could tell is a warning, such as whether an account is in an organization that the image is
        shared with, or whether the accounts of the image are all of an organization that the parameter is shared with.
      - With O(state=absent), resource shares are not read.
    type: bool
    default: true
  require_usable_key:
    description:
      - Whether a pointer moves only to an image whose KMS keys its account can use, as far as their owner can see. The keys are read
        with the credentials of the task, a few calls in each region, if an earlier image of their account is encrypted.
      - With O(require_shared), the accounts that the parameter is shared with through AWS RAM must be able to use them, too.
      - A target stays as it is, and fails the task after the others were moved, if a key is not enabled, if its policy and grants
        certainly do not let the account use it, or if it cannot be read.
      - What is not certain is a warning, such as a policy for an organization. So are images and keys of other accounts than that of
        the credentials. Policies of the account itself are not known.
      - Not used with O(state=absent).
    type: bool
    default: true
  level:
    description:
      - V(withdraw) tags images and moves pointers. It is refused if nothing that names the release has an earlier image, nor had
        one before an earlier task.
      - V(block) also blocks the images as O(block_method) says, those without an earlier image, too, before the task fails. A
        later task with V(withdraw) opens nothing.
    type: str
    choices: [withdraw, block]
    default: withdraw
  withdraw_only:
    description:
      - Whether a later task with O(withdrawal_result) blocks the images, after M(golden.images.ami_adoption) has read what still
        launches them. This one only withdraws the release, and checks the options of both.
    type: bool
    default: false
  block_method:
    description:
      - V(unshare), the default with O(level=block), removes all launch permissions of the images, and all permissions to create
        volumes of their snapshots, of accounts, organizations, organizational units and the public. The account of the images can
        still launch them. It does not enable images that an earlier task has disabled.
      - V(disable) disables the images, which stops launches of their own account, too, and removes the same permissions.
      - This option and the next four are refused without O(level=block), and not used with O(state=absent).
    type: str
    choices: [unshare, disable]
  adoption_result:
    description:
      - The registered result of M(golden.images.ami_adoption) with O(golden.images.ami_adoption#module:depth=launches), from which
        O(level=block) tells what launches the images next. Read it in the same run, with the same credentials.
      - Required in it is the source in O(golden.images.ami_adoption#module:deny_images), so that it has all uses of the release,
        whatever the families are, and names images that the accounts use and have made from it.
      - Let it read all regions of the release. A copy of a copy in a region that was not read is not known as one of the release.
      - Without it, and in accounts and regions that it has not wholly read, each consumer with launch permission counts as one
        that breaks. An organization and an organizational unit always do.
      - If that task was refused, this one fails with the same failures.
    type: dict
  withdrawal_result:
    description:
      - The registered result of the earlier task with O(withdraw_only). If it was refused, or has no image, this task does nothing.
      - In check mode, that task has changed nothing. If it would move something, what launches the images next is a warning
        instead of a failure. Tags that it would add are not planned again.
    type: dict
  accept_breaking:
    description:
      - The accounts, and ARNs of organizations and organizational units, that may lose what they launch next, or V(all).
      - If others break, no image is blocked, and the task fails after all else is done. RV(breaking) has all of them.
    type: list
    elements: str
    default: []
  block_consumer_copies:
    description:
      - Whether O(level=block) also disables images that other accounts own and have copied or made from the release, with the role
        O(consumer_role_name), after the images of the release. What they launch from these counts as what breaks.
      - These are the images that O(adoption_result) has with an RV(golden.images.ami_adoption#module:uses[].origin) of the release
        in the account of the credentials, with the evidence V(ancestry), and those of an earlier task. If only a tag or a watermark
        tells the origin, the image stays, with a warning. So does a copy of another image that was made from the release, such as a
        fix, which keeps the watermark, and what was made from the source of the release if another account owns that.
      - Requires O(adoption_result), except with O(withdraw_only).
      - An image that is disabled already, or that AWS Backup or Amazon Data Lifecycle Manager manages, stays and is named in
        RV(blocked). An image that no account uses is not known.
      - With O(withdraw_only), RV(to_look_into) has O(regions), or all of them, because copies can be in any region.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait in each region until AWS has validated the new value.
    type: int
    default: 300
  tombstone_path:
    description:
      - The file on the host that runs the module to which the state before the recall is added, a line of JSON each time.
        Another one than that of M(golden.images.ami_cleanup).
      - Either this or O(tombstone_s3_uri) is required.
    type: path
  tombstone_s3_uri:
    description:
      - The location of the state before the recall in S3, as C(s3://bucket/folder). It is the object
        C(recall/ACCOUNT/REGION/IMAGE_ID.json) there.
    type: str
  tombstone_s3_bucket_owner:
    description:
      - The account that the bucket of O(tombstone_s3_uri) must belong to, by default that of the credentials.
    type: str
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description:
      - Plans everything and changes nothing. The tombstone is not written either.
      - If the task, or that of O(withdrawal_result), would move pointers, what launches the release next is a warning instead of
        a failure.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - O(region) is only used for O(tombstone_s3_uri), and for the list of the enabled regions.
seealso:
  - module: golden.images.ami_publish
  - module: golden.images.ami_adoption
"""

EXAMPLES = r"""
- name: Recall a release in two accounts
  golden.images.ami_recall:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    parameter: /golden/web
    launch_templates: [web]
    level: block
    withdraw_only: true
    accept_breaking: ["012345678901"]
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    tombstone_s3_uri: s3://golden-images/tombstones
  register: recall

- name: Read what still launches the release
  golden.images.ami_adoption:
    family_by_source: true
    deny_images: [ami-0123456789abcdef0]
    depth: launches
    account_ids: "{{ recall.to_look_into.account_ids }}"
    regions: "{{ recall.to_look_into.regions }}"
    consumer_role_name: golden-consumer
  register: adoption
  # What could not be read counts as not looked at.
  failed_when: false

- name: Block its images, whatever one account launches
  golden.images.ami_recall:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    level: block
    adoption_result: "{{ adoption }}"
    withdrawal_result: "{{ recall }}"
    accept_breaking: ["012345678901"]
    tombstone_s3_uri: s3://golden-images/tombstones

- name: Take the recall back
  golden.images.ami_recall:
    state: absent
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    consumer_role_name: golden-consumer
    tombstone_s3_uri: s3://golden-images/tombstones
"""

RETURN = r"""
blocked:
  description: The images that O(level=block) blocks, those of O(block_consumer_copies) included, or that are opened again.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      changed: true
      image_id: ami-0123456789abcdef0
      left: null
      region: eu-west-1
  contains:
    account_id:
      description: The account of the image.
      type: str
      returned: always
    changed:
      description: Whether a permission is removed or added, or the image is disabled or enabled.
      type: bool
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    left:
      description: Why it is not opened again, or why an image of another account is not disabled. Null of all others.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
breaking:
  description: Who could not launch images any more that O(level=block) blocks, those with the most uses first.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - confirmed: true
      consumer: "012345678901"
      regions: [eu-west-1]
      regions_not_looked_at: []
      uses:
        - kind: parameter
          names: [/payments/image]
          number: 1
  contains:
    confirmed:
      description: Whether O(accept_breaking) has it.
      type: bool
      returned: always
    consumer:
      description: An account, the ARN of an organization or organizational unit, or V(all) for the public.
      type: str
      returned: always
    regions:
      description: The regions in which something launches an image next.
      type: list
      elements: str
      returned: always
    regions_not_looked_at:
      description: The regions in which it can launch an image, and O(adoption_result) has not all that it launches.
      type: list
      elements: str
      returned: always
    uses:
      description: What launches the images next, by kind.
      type: list
      elements: dict
      returned: always
      contains:
        kind:
          description: What launches them, such as V(launch_template).
          type: str
          returned: always
        names:
          description: The first ten names, in the form of M(golden.images.ami_adoption), such as C(web (lt-0123456789abcdef0) version 3).
          type: list
          elements: str
          returned: always
        number:
          description: The number of all of them, in all regions.
          type: int
          returned: always
images:
  description: The images of the release in the account whose credentials are used.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      changed: true
      image_id: ami-0123456789abcdef0
      region: eu-west-1
  contains:
    account_id:
      description: The account of the image.
      type: str
      returned: always
    changed:
      description: Whether the tag of the image is added or removed.
      type: bool
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
recalled_at:
  description: When the release was recalled, as the tag of its images has it.
  returned: success, and failure after something was changed
  type: str
  sample: "2026-12-01T23:40:05Z"
results:
  description:
    - Each parameter and launch template. Those that were to be moved and failed are missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      after: {"image_id": "ami-0fedcba9876543210", "version": 8}
      before: {"image_id": "ami-0123456789abcdef0", "version": 7}
      changed: true
      kind: parameter
      left: null
      name: /golden/web
      region: eu-west-1
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    after:
      description:
        - The image and the version after the task, of a launch template the default version. The version is null if it is not
          known in check mode. Null for one that is left as it is.
      type: dict
      returned: always
    before:
      description:
        - The image and the version before it was moved. Null for one that does not exist.
        - The version is null for one that is left as it is.
      type: dict
      returned: always
    changed:
      description: Whether it changed.
      type: bool
      returned: always
    kind:
      description: V(parameter) or V(launch_template).
      type: str
      returned: always
    left:
      description: Why it is left as it is. Null if it is moved.
      type: str
      returned: always
    name:
      description: The name.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
to_look_into:
  description:
    - With O(withdraw_only), where M(golden.images.ami_adoption) has to read what still launches the release. Empty if no image is
      to be blocked, and without O(account_ids).
  returned: success, and failure after something was changed
  type: dict
  sample: {"account_ids": ["012345678901"], "regions": ["eu-west-1", "us-east-1"]}
tombstone:
  description: Where the state before the recall is, a file or the URI of an object in S3.
  returned: success, and failure after something was changed
  type: str
  sample: s3://golden-images/tombstones/recall/111122223333/us-east-1/ami-0123456789abcdef0.json
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "PutParameter", "region": "eu-west-1", "resource": "/golden/web"}]
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

from ansible_collections.golden.images.plugins.module_utils._recall.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
