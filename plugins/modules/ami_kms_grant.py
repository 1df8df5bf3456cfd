#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_kms_grant
version_added: 0.1.0
short_description: Grant consumers access to the KMS keys of an encrypted AMI
description:
  - A shared encrypted AMI can be launched only if its consumers can use its KMS keys, in every region. This module finds the
    keys of the images' snapshots, or takes them from O(kms_key_ids), and grants access to them.
  - Accounts, roles and users get a grant, or a statement in the key policy. Organizations and organizational units get
    access only through the key policy.
  - Works in all regions at the same time. Everything is read and checked before anything is changed.
  - Only adds access, unless O(purge_grants=true) or O(state=absent). Only grants and policy statements that this module
    created are changed or removed. Its grants are named C(golden-images:) and a hash, its statements have a Sid that begins
    with C(GoldenImages). On a key of another account, grants are named C(golden-images-of-ACCOUNT:) and a hash. Everything
    else in a key policy stays as it is, byte for byte. A C(Deny) statement with such a Sid is refused.
  - A key can encrypt several images. Before this module revokes access, it reads the account's other images under the key,
    or with a snapshot that it is associated with, and their permissions. Consumers that need the key for one of them keep
    their access, see RV(kept_access). This requires C(ec2:DescribeImages), C(ec2:DescribeSnapshots),
    C(ec2:DescribeImageAttribute) and C(ec2:DescribeSnapshotAttribute). What cannot be read revokes nothing, see
    O(revoke_in_use). Snapshots that are still shared although their image is deregistered count like images.
  - Launches of a shared image that name the owner's key create volumes under it, and need it whenever an instance with
    these volumes starts. Snapshots of these volumes need it, too. With O(consumer_role_name), the volumes and snapshots of the
    accounts that lose access are read, also in the Recycle Bin (C(ec2:DescribeVolumes), C(ec2:DescribeSnapshots),
    C(ec2:ListSnapshotsInRecycleBin) and C(ec2:ListVolumesInRecycleBin) in each of them). They keep no access - otherwise an
    account could keep it for itself with a snapshot - but a warning and RV(results[].kms_keys) name them, also in check mode,
    and what could not be read. By default a launch encrypts volumes under the account's own default key.
  - The consumers also need an IAM policy in their own account that allows them to use the key.
  - A consumer that AWS rejects, or that cannot create its grant for Auto Scaling, keeps no other one from access, and fails
    the task in O(best_effort_regions), too, unless O(best_effort_consumers=true).
author:
  - golden.images contributors !UNKNOWN
options:
  kms_key_ids:
    description:
      - Mapping of region to key, as M(golden.images.ami_copy_regions) returns it, so that access can be granted while the
        copies are still running. Null for a region whose image is not encrypted.
      - Exactly one of O(kms_key_ids), O(copy_result), O(images) and O(image_id) is required.
    type: dict
  copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions), without C(account_ids), while the copies are running or later.
        The keys are those of the copies, as far as they are known.
      - The images in it count as those in O(unshared_image_ids).
    type: dict
  grant_result:
    description:
      - The registered result of an earlier task for the copies in O(copy_result). Its keys, and the regions in which it failed,
        are left out. Without another key, the task does nothing.
      - A copy that was pending, or that is not of this collection, can have another key than the requested one.
    type: dict
  share_result:
    description:
      - The registered result of M(golden.images.ami_share) for the copies in O(copy_result), such as for O(state=absent). The
        regions in which it failed are left out. The one of a task that was skipped counts as none.
    type: dict
  images:
    description:
      - Mapping of region to image ID, as M(golden.images.ami_copy_regions) returns it. The keys are those of the images'
        snapshots.
    type: dict
  image_id:
    description:
      - The ID of one image, in O(region).
    type: str
  principals:
    description:
      - ARNs of roles and users, to give access to less than a whole account.
      - A service-linked role of another account is refused, because only that account can create a grant for it, see
        O(auto_scaling). With O(state=absent) it can be one.
    type: list
    elements: str
    default: []
  org_ids:
    description:
      - IDs of organizations (V(o-a1b2c3d4e5)), as in key policies. Only with O(state=absent).
    type: list
    elements: str
    default: []
  org_unit_ids:
    description:
      - IDs of organizational units (V(ou-ab12-11111111)), as in key policies. Only with O(state=absent).
    type: list
    elements: str
    default: []
  operations:
    description:
      - The KMS operations that the consumers get access to.
      - The default is what a launch and a copy need, C(CreateGrant), C(Decrypt), C(DescribeKey), C(GenerateDataKey),
        C(GenerateDataKeyWithoutPlaintext), C(ReEncryptFrom) and C(ReEncryptTo).
    type: list
    elements: str
    default: []
  access_method:
    description:
      - V(grant) creates a grant for each account, role and user. Grants are not part of the key policy, can be revoked one by
        one, and each needs one call. A key can have 50,000 grants.
      - V(key_policy) adds them to the key policy, with one call for all. A policy can have 32 KB; 350 accounts fit even if AWS
        counts account IDs as the ARNs of their roots. AWS does not detect that another tool writes the policy at the same time.
      - V(auto) uses grants for accounts, roles and users, and the key policy for organizations and organizational units.
    type: str
    choices: [auto, grant, key_policy]
    default: auto
  auto_scaling:
    description:
      - Whether each account's Auto Scaling groups can launch the image. Each account itself must create a grant for its
        service-linked role; this module does that with the role O(consumer_role_name) of the account.
      - The roles must be allowed to call C(kms:CreateGrant).
      - The accounts then also get the operation C(Encrypt), because a grant cannot give more operations than its parent has.
      - Not used if O(consumer_copy_result) leaves no account.
    type: bool
    default: false
  auto_scaling_roles:
    description:
      - The names of the service-linked roles that get a grant in each account, with O(auto_scaling). Groups use
        V(AWSServiceRoleForAutoScaling) unless they were created with another role, which has a suffix, such as
        V(AWSServiceRoleForAutoScaling_web).
      - Each of them must exist in each account. One that does not fails the task, and the other ones get their grants.
      - O(state=absent) revokes the grants of all such roles of the named accounts.
    type: list
    elements: str
    default: [AWSServiceRoleForAutoScaling]
  state:
    description:
      - V(present) grants access, V(absent) revokes the access that this module gave to the named consumers, unless they still
        need it for other images.
    type: str
    choices: [present, absent]
    default: present
  purge_grants:
    description:
      - Whether grants and policy statements that this module created for other consumers are removed, after new ones are
        created, unless these consumers still need them for other images.
      - Nothing is removed if O(consumer_copy_result) leaves no consumer.
    type: bool
    default: false
  unshared_image_ids:
    description:
      - IDs of images that are unshared in the same run, before or after this task, from the consumers that lose access.
        The sharing of these images, and of those in O(images) and O(image_id), does not keep the access of consumers.
      - Consumers keep the access to the key of an image that is not in this list and is unshared only after this task.
    type: list
    elements: str
    default: []
  unshared_snapshot_ids:
    description:
      - IDs of snapshots without an image that are unshared in the same run, before or after this task, from the consumers that
        lose access. Their sharing does not keep the access of consumers.
    type: list
    elements: str
    default: []
  best_effort_consumers:
    description:
      - Whether the task succeeds if KMS refuses nothing but access of single consumers. They are in RV(failures), and C(msg) is
        the message that the task would fail with.
    type: bool
    default: false
  revoke_in_use:
    description:
      - Whether access is revoked although consumers may still need it for other images or snapshots that are shared with
        them, or although that cannot be read. These, and what consumers have under the key, are then not read.
      - Set it to remove the access of an account at once, for example of a compromised one. Its launches of all images under
        the key fail from then on.
    type: bool
    default: false
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.rate
  - golden.images.best_effort_regions
  - golden.images.consumers
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing. Images that do not exist yet (null) are skipped.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - AWS services that have a grant are named with botocore 1.43.12 or newer. With an older one they are C(unknown).
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
"""

EXAMPLES = r"""
- name: Grant two accounts access to the keys of an image
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901", "123456789012"]

- name: Grant an organization access while the copies are running
  golden.images.ami_kms_grant:
    kms_key_ids: "{{ copied.kms_key_arns }}"
    org_arns:
      - arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5

- name: Allow an account's Auto Scaling groups to launch the image
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
    auto_scaling: true
    consumer_role_name: golden-consumer

- name: Revoke an account's access, unless it needs the keys for other images
  golden.images.ami_kms_grant:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]
    state: absent

- name: Revoke the access of a compromised account at once
  golden.images.ami_kms_grant:
    kms_key_ids:
      eu-west-1: alias/golden
    account_ids: ["012345678901"]
    state: absent
    revoke_in_use: true
"""

RETURN = r"""
consumers:
  description: The accounts, and the ARNs of the organizations and organizational units, that the task names.
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: ["012345678901"]
consumers_without_access:
  description:
    - The consumers that cannot use keys according to the grants and, if it was read, the policy. An account is not among them
      if one of its roles or users can, other than its service-linked role for Auto Scaling. Those that cannot use the same keys
      are one item.
    - In check mode, those that could not use them after the planned changes.
    - Only of keys of which it is known (RV(results[].kms_keys[].access_known)).
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: []
  contains:
    consumers:
      description: The accounts, and the ARNs of organizations and organizational units.
      type: list
      elements: str
      returned: always
    kms_key_arns:
      description: The ARNs of the keys.
      type: list
      elements: str
      returned: always
failed_regions:
  description: The regions in which more failed than the access of single consumers.
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: []
grants:
  description:
    - The grants of this module on the keys in RV(results), after the task. Those of different principals on the same keys are
      listed together.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - grantees: ["012345678901"]
      kms_key_arns:
        - arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
      operations: [CreateGrant, Decrypt, DescribeKey, GenerateDataKey, GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo]
  contains:
    grantees:
      description: The accounts, and the ARNs of roles and users, that may use the keys.
      type: list
      elements: str
      returned: always
    kms_key_arns:
      description: The ARNs of the keys.
      type: list
      elements: str
      returned: always
    operations:
      description: The operations that the grants allow.
      type: list
      elements: str
      returned: always
kept_access:
  description:
    - The consumers whose access would be revoked if no other image or snapshot needed it. Those that keep access to the same
      keys for the same reasons are one item.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: []
  contains:
    kms_keys:
      description: The keys.
      type: list
      elements: dict
      returned: always
      contains:
        image_ids:
          description: The images under the key that are shared with them or may be. Empty if the images could not be read.
          type: list
          elements: str
          returned: always
        kms_key_arn:
          description: The ARN.
          type: str
          returned: always
        reason:
          description: Why it is kept, as a sentence.
          type: str
          returned: always
        resource_ids:
          description: The snapshots without an image that are shared with them. Empty if these could not be read.
          type: list
          elements: str
          returned: always
    principals:
      description: The accounts, ARNs and IDs.
      type: list
      elements: str
      returned: always
kms_key_arns:
  description:
    - Mapping of region to the ARN of the key that access was granted to. Null if the image is not encrypted.
    - Best-effort regions that could not be read are missing.
  returned: success, and failure after something was changed
  type: dict
policy_statements:
  description:
    - The statements of this module in the policies of the keys in RV(results) whose policies were read, after the task. Keys with
      the same statements are one item.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: []
  contains:
    kms_key_arns:
      description: The ARNs of the keys.
      type: list
      elements: str
      returned: always
    statements:
      description: The statements.
      type: list
      elements: dict
      returned: always
rejected_account_ids:
  description: The accounts that KMS has rejected.
  returned: success, and failure after something was changed
  type: list
  elements: str
  sample: []
results:
  description: The keys of each region. Regions that failed are missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      changed: true
      kms_keys:
        - access_known: false
          dependents: []
          kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
      region: eu-west-1
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
      description: The keys.
      type: list
      elements: dict
      returned: always
      contains:
        access_known:
          description:
            - Whether it is known which consumers cannot use the key (RV(consumers_without_access)).
            - Not if the task changed or revoked access, if a copy in O(copy_result) is pending, and for a key of another account.
          type: bool
          returned: always
        kms_key_arn:
          description: The ARN.
          type: str
          returned: always
        dependents:
          description:
            - The accounts that lose access although they have volumes or snapshots under the key, or in their Recycle Bin, where
              AWS does not show which key they are under.
            - Null if consumers lose access with O(revoke_in_use=true), which does not read that.
          type: list
          elements: dict
          returned: always
          contains:
            account_id:
              description: The account.
              type: str
              returned: always
            resource_ids:
              description: Its volumes and snapshots.
              type: list
              elements: str
              returned: always
    region:
      description: The region.
      type: str
      returned: always
unseen_accounts:
  description:
    - The accounts that lose access although not all that they may have under the keys could be read. Those of the same keys that
      could not be read for the same reason are one item.
    - Of a key whose RV(results[].kms_keys[].dependents) are null, nothing is read.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: []
  contains:
    account_ids:
      description: The accounts.
      type: list
      elements: str
      returned: always
    kms_key_arns:
      description: The ARNs of the keys.
      type: list
      elements: str
      returned: always
    reason:
      description: Why they could not be read.
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
  sample:
    - account_id: "111122223333"
      action: CreateGrant
      count: 2
      region: eu-west-1
      resource: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
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

from ansible_collections.golden.images.plugins.module_utils._kms_grant.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
