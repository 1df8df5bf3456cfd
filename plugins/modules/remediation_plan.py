#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_plan
version_added: 0.1.0
short_description: Plan remediation of audit findings
description:
  - Takes the result of M(golden.images.ami_share_audit) and which of its findings to fix, and returns the permissions to remove,
    as sentences and as options of M(golden.images.ami_share) and M(golden.images.ami_kms_grant). The audit must have read
    the snapshots.
  - Only permissions that the audit has a finding for are removed, so nothing that the audit allows.
  - An account, organization or organizational unit that loses an image also loses access to the image's key, if nothing under the key is shared
    with it any more and this collection granted the access.
  - Makes no AWS calls, needs no credentials and changes nothing. The role P(golden.images.remediate#role) audits, plans and
    removes the permissions.
author:
  - golden.images contributors !UNKNOWN
options:
  audit_result:
    description:
      - The result of M(golden.images.ami_share_audit), whether that succeeded or failed. This or O(audit_result_var) is required.
    type: dict
  audit_result_var:
    description:
      - The name of the variable with the result of M(golden.images.ami_share_audit). Ansible evaluates each part of
        O(audit_result), which for thousands of images takes longer than the module itself.
    type: str
  finding_codes:
    description:
      - The codes of the findings to fix, for all images or for those of O(images).
      - The codes are V(grant_without_share), V(public), V(snapshot_public), V(snapshot_public_blocked), V(snapshot_wider_than_image),
        V(statement_without_share), V(unknown_account), V(unknown_organization) and V(unknown_organizational_unit). Findings
        with other codes are not fixed by removing permissions.
      - The default is V(public), V(snapshot_public), V(snapshot_public_blocked), V(unknown_account), V(unknown_organization) and
        V(unknown_organizational_unit), which are about access that is not allowed. The other three may be about accounts that
        are allowed and will get an image whose key or snapshot they already have.
      - One of O(finding_codes), O(images) and O(expected_removals) is required.
    type: list
    elements: str
    default: []
  images:
    description:
      - The images to fix, each with its snapshots and keys. A snapshot in this list is fixed with its key only.
      - A list of IDs, or of mappings with C(region) and C(image_id) or C(snapshot_id), or a mapping of region to one or several
        IDs. The default is all images. A region without IDs is refused, and so is a list of empty items only.
    type: raw
  max_removals:
    description:
      - The maximum number of removals. If the plan has more, the task fails. One principal that loses one image, snapshot or key
        counts as one.
    type: int
    default: 10
  expected_removals:
    description:
      - The RV(removals) of an earlier plan. Then only those are returned that O(audit_result) does not show to be done, and no
        tasks.
    type: list
    elements: dict
  revoke_results:
    description:
      - The results of M(golden.images.ami_kms_grant) for RV(revoke_tasks), in check mode too. Access that it kept because an
        image or a snapshot needs it is not expected to be removed.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - golden.images.option_forms
attributes:
  check_mode:
    support: full
    description: Returns the same.
  diff_mode:
    support: none
    description: Nothing is changed, so there is no difference.
"""

EXAMPLES = r"""
- name: Audit who can use the account's images
  golden.images.ami_share_audit:
    allowed_account_ids: ["012345678901"]
  register: audit_result

- name: Plan to unshare from the public and from accounts that are not allowed
  golden.images.remediation_plan:
    audit_result_var: audit_result
    finding_codes: [unknown_account, public, snapshot_public]
    max_removals: 50
  register: remediation

- name: Unshare images and snapshots
  golden.images.ami_share:
    images: "{{ item.images | default(omit, true) }}"
    snapshots: "{{ item.snapshots | default(omit, true) }}"
    account_ids: "{{ item.account_ids }}"
    org_arns: "{{ item.org_arns }}"
    org_unit_arns: "{{ item.org_unit_arns }}"
    group: "{{ item.group | default(omit, true) }}"
    share_snapshots: "{{ item.share_snapshots }}"
    snapshot_ids: "{{ item.snapshot_ids }}"
    state: absent
  loop: "{{ remediation.unshare_tasks }}"

- name: Revoke access to their keys
  golden.images.ami_kms_grant:
    kms_key_ids: "{{ item.kms_key_ids }}"
    account_ids: "{{ item.account_ids }}"
    principals: "{{ item.principals }}"
    org_ids: "{{ item.org_ids }}"
    org_unit_ids: "{{ item.org_unit_ids }}"
    unshared_image_ids: "{{ item.unshared_image_ids }}"
    state: absent
  loop: "{{ remediation.revoke_tasks }}"
"""

RETURN = r"""
removals:
  description: The permissions to remove, sorted by region, images before snapshots and snapshots before keys.
  returned: success
  type: list
  elements: dict
  sample:
    - finding_codes: [unknown_account]
      image_id: ami-0123456789abcdef0
      message: "eu-west-1: unshare ami-0123456789abcdef0 (golden-web-2026.11.1) from 012345678901: unknown_account"
      principal: "012345678901"
      region: eu-west-1
      resource: ami-0123456789abcdef0
  contains:
    finding_codes:
      description: The findings that the removal fixes or prevents.
      type: list
      elements: str
      returned: always
    image_id:
      description: The AMI ID. For a snapshot or key of several images, the first of them. Null for a snapshot that no image uses.
      type: str
      returned: always
    message:
      description: The removal as a sentence.
      type: str
      returned: always
    principal:
      description: The principal that loses access, as the audit returns it. V(all) is the public.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    resource:
      description: The image, the snapshot or the key's ARN.
      type: str
      returned: always
unshare_tasks:
  description:
    - The images and snapshots as options of M(golden.images.ami_share) with C(state=absent), in as few tasks as possible.
    - If a task is about several regions, its C(per_region) has the same options for each region.
  returned: success
  type: list
  elements: dict
  sample:
    - account_ids: ["012345678901"]
      group: null
      images: {"eu-west-1": "ami-0123456789abcdef0"}
      org_arns: []
      org_unit_arns: []
      per_region: []
      share_snapshots: true
      snapshot_ids: []
      snapshots: {}
revoke_tasks:
  description:
    - The keys as options of M(golden.images.ami_kms_grant) with C(state=absent), in the same way. C(unshared_image_ids) are
      the images under the keys that RV(unshare_tasks) are about.
  returned: success
  type: list
  elements: dict
  sample:
    - account_ids: ["012345678901"]
      kms_key_ids: {"eu-west-1": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
      org_ids: []
      org_unit_ids: []
      per_region: []
      principals: []
      unshared_image_ids: [ami-0123456789abcdef0]
kept_access:
  description:
    - The key access that O(revoke_results) show as kept. If C(image_ids) and C(resource_ids) are empty, it is not known whether
      something needs it, and the removal is still expected.
  returned: success
  type: list
  elements: dict
  contains:
    image_ids:
      description: The images under the key that the principal may use.
      type: list
      elements: str
      returned: always
    message:
      description: The access and the reason as a sentence.
      type: str
      returned: always
    principal:
      description: The account, role, user, organization or organizational unit.
      type: str
      returned: always
    reason:
      description: Why it is kept.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    resource:
      description: The key's ARN.
      type: str
      returned: always
    resource_ids:
      description: The snapshots without an image that are shared with the principal.
      type: list
      elements: str
      returned: always
dependents:
  description:
    - The accounts that O(revoke_results) show as losing access although they have volumes or snapshots under the key, with
      C(account_id), C(message), C(region), in C(resource) the key's ARN, and in C(resource_ids) the volumes and snapshots.
    - Null if that was not read, with O(golden.images.ami_kms_grant#module:revoke_in_use=true).
  returned: success
  type: list
  elements: dict
unseen_accounts:
  description:
    - The accounts that O(revoke_results) show as losing access although not all that they have under the key was read, with
      C(account_id), C(message), C(reason), C(region), and in C(resource) the key's ARN.
    - Null if nothing of it was read, with O(golden.images.ami_kms_grant#module:revoke_in_use=true).
  returned: success
  type: list
  elements: dict
unreadable:
  description: The findings about what the audit could not read. There may be more permissions to remove.
  returned: success
  type: list
  elements: str
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

from ansible_collections.golden.images.plugins.module_utils._remediation.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
