#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_share_audit
version_added: 0.1.0
short_description: Audit who can use an account's AMIs
description:
  - Reads every AMI that the account owns, in all regions in parallel, including disabled and deprecated ones, with its launch
    permissions, the volume permissions of its snapshots, and the grants and policies of the keys that encrypt it.
  - Compares these with who is allowed, and returns every exposure, and every access that does not work, as a finding with a
    stable code, a severity and a remedy.
  - A region, image, snapshot or key that cannot be read is a finding, too, and fails the task, which still returns everything
    that was read.
  - Changes nothing in AWS, in check mode or not. Can write a report as JSON, CSV, SARIF and HTML, whether it succeeded or
    failed, so that an incomplete audit is never reported as clean.
author:
  - golden.images contributors !UNKNOWN
options:
  regions:
    description:
      - The regions to audit. The default is every region that the account is opted in to.
    type: list
    elements: str
    default: []
  allowed_account_ids:
    description:
      - The accounts that any image may be shared with, each 12 digits as text in quotes. The owner is always allowed.
    type: list
    elements: str
    default: []
  allowed_org_arns:
    description:
      - The organizations that any image may be shared with, by their full ARNs. This also allows their organizational
        units, but no single account, since the organization of an account is not known.
    type: list
    elements: str
    default: []
  allowed_org_unit_arns:
    description:
      - The organizational units that any image may be shared with, by their full ARNs. Units nested in them are not included.
    type: list
    elements: str
    default: []
  rules:
    description:
      - Who else may use some of the images. Every rule that applies to an image adds to what is allowed for all images.
    type: list
    elements: dict
    default: []
    suboptions:
      name_pattern:
        description:
          - The images with such a name. C(*), C(?) and C([]) are wildcards as in a shell. Names are case-sensitive.
          - At least one of O(rules[].name_pattern) and O(rules[].tags) is required. With both, an image must match both.
        type: str
      tags:
        description:
          - The images that have all of these tags with these values.
        type: dict
      account_ids:
        description:
          - Accounts that these images may be shared with.
        type: list
        elements: str
        default: []
      org_arns:
        description:
          - Organizations that these images may be shared with.
        type: list
        elements: str
        default: []
      org_unit_arns:
        description:
          - Organizational units that these images may be shared with.
        type: list
        elements: str
        default: []
      public:
        description:
          - Whether these images, and their snapshots, may be public.
        type: bool
        default: false
  fail_on:
    description:
      - The task fails, after everything has been read, if there is a finding of this severity or a higher one.
      - What could not be read always fails it.
    type: str
    choices: [none, low, medium, high]
    default: none
  check_snapshots:
    description:
      - Whether to read the volume permissions of each snapshot. This takes one call for each snapshot.
      - These are the snapshots of images, and snapshots that no image uses and that are public, or that CreateImage or CopyImage
        made with an image, by their descriptions.
    type: bool
    default: true
  check_keys:
    description:
      - Whether to read the keys of encrypted images, with their grants and policies.
    type: bool
    default: true
  check_parameters:
    description:
      - Whether to read which parameters the account shares through AWS RAM, and the images that they name. A parameter of an
        audited image that is shared with a consumer that is not allowed is a finding, also while AWS takes it back.
      - Parameters of the type StringList are not read for AMI IDs.
      - This takes one call in each region, one more where parameters are shared, and one for each parameter with a
        consumer that is not allowed for all images.
    type: bool
    default: false
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.report
  - golden.images.rate
  - golden.images.processes
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Reads and returns the same, and writes no report.
  diff_mode:
    support: partial
    description: Shows the previous and the new content of the report, from verbosity 1 (C(-v)) on.
notes:
  - O(region) is only used to list the regions and identify the account; images are read in O(regions). If these are all in
    another partition, the first of them is used instead.
  - AWS returns the permissions of one image per call, and accepts a burst of 100 such calls and then 20 a second in each
    region. The module keeps to that until AWS allows more, and regions are read in parallel.
  - If a process that reads some of the regions is killed, these are findings with the code C(region_unreadable), and fail the
    task. All others are read.
  - The codes of the findings are stable. C(docs/auditing.md) of this collection explains each.
  - AWS services that have a grant are named with botocore 1.43.12 or newer. With an older one they are C(unknown).
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
seealso:
  - module: golden.images.ami_share
  - module: golden.images.ami_kms_grant
  - module: golden.images.ami_share_diagnose
"""

EXAMPLES = r"""
- name: Audit who can use the account's images
  golden.images.ami_share_audit:
  register: audit_result

- name: Fail if a principal that is not allowed can use an image
  golden.images.ami_share_audit:
    regions: [eu-west-1, us-east-1]
    allowed_account_ids: ["012345678901", "123456789012"]
    allowed_org_arns:
      - arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5
    rules:
      - name_pattern: golden-edge-*
        tags:
          audience: partners
        account_ids: ["210987654321"]
    fail_on: high

- name: Show the remedies
  ansible.builtin.debug:
    msg: "{{ audit_result.findings | map(attribute='remedy') }}"

- name: Write a report
  golden.images.ami_share_audit:
    allowed_account_ids: ["012345678901"]
    report_dir: audit
    return_report: true
"""

RETURN = r"""
account_id:
  description: The account that owns the images.
  returned: success, and failure after something was read
  type: str
  sample: "111122223333"
check_keys:
  description: Whether keys were read, as O(check_keys) says.
  returned: success, and failure after something was read
  type: bool
  sample: true
check_parameters:
  description: Whether shared parameters were read, as O(check_parameters) says.
  returned: success, and failure after something was read
  type: bool
  sample: false
check_snapshots:
  description: Whether the permissions of snapshots were read, as O(check_snapshots) says.
  returned: success, and failure after something was read
  type: bool
  sample: true
findings:
  description: The findings, sorted by region and image, always in the same order.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    code:
      description: The code of the finding.
      type: str
      returned: always
      sample: unknown_account
    image_id:
      description: The AMI ID. For a finding about several images, the first of them. Null for a finding about a region or a key.
      type: str
      returned: always
    message:
      description: The finding as a sentence.
      type: str
      returned: always
    principal:
      description: The principal that has or lacks access - an account, an ARN, or V(all). Null if the finding is not about a principal.
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
    resource:
      description: The image, snapshot, key or region that the finding is about, or the AWS operation that failed.
      type: str
      returned: always
    severity:
      description: V(low), V(medium) or V(high). Each code has one.
      type: str
      returned: always
      sample: high
results:
  description: The images, sorted by region, name and age, the oldest first.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      age_days: 4
      associated_kms_key_arns: []
      copies: []
      creation_date: "2026-11-24T18:03:56.617Z"
      deprecated: false
      deprecation_time: null
      encrypted: true
      findings: []
      image_id: ami-0123456789abcdef0
      kms_key_arns: [arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab]
      last_launched_time: null
      name: golden-web-2026.11.1
      region: eu-west-1
      sharing:
        account_ids: ["012345678901"]
        org_arns: []
        org_unit_arns: []
        public: false
      snapshots:
        - account_ids: ["012345678901"]
          associated_kms_key_arns: []
          kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
          public: false
          snapshot_id: snap-0123456789abcdef0
      source: null
      state: available
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    age_days:
      description: Whole days since the image was created. Null if AWS does not return the creation date.
      type: int
      returned: always
    associated_kms_key_arns:
      description:
        - The ARNs of the keys that its snapshots are associated with, each of which gives access to their data by itself. Empty
          with O(check_keys=false).
      type: list
      elements: str
      returned: always
    copies:
      description: The copies of the image that the audit read, each with C(image_id) and C(region).
      type: list
      elements: dict
      returned: always
    creation_date:
      description: When the image was created.
      type: str
      returned: always
    deprecated:
      description: Whether the image is deprecated.
      type: bool
      returned: always
    deprecation_time:
      description: The deprecation time. Null if none is set.
      type: str
      returned: always
    encrypted:
      description: Whether any snapshot is encrypted.
      type: bool
      returned: always
    findings:
      description: The findings of RV(findings) about this image.
      type: list
      elements: dict
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    kms_key_arns:
      description: The ARNs of the keys that encrypt the image. Empty with O(check_keys=false).
      type: list
      elements: str
      returned: always
    last_launched_time:
      description: When the image was last launched. AWS reports a launch with a delay of a day. Null if AWS does not return it.
      type: str
      returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    sharing:
      description:
        - The consumers that the image is shared with, as C(account_ids), C(org_arns), C(org_unit_arns) and C(public).
        - Null if that could not be read.
      type: dict
      returned: always
    snapshots:
      description:
        - Its snapshots, each with C(snapshot_id), C(kms_key_arn), C(associated_kms_key_arns), and the consumers that it is
          shared with, as C(account_ids) and C(public).
        - The latter two are null if they were not read or could not be read.
      type: list
      elements: dict
      returned: always
    source:
      description: The C(image_id) and C(region) of the source. Null if the image is not a copy.
      type: dict
      returned: always
    state:
      description: The image's state.
      type: str
      returned: always
kms_keys:
  description: The keys that encrypt images or that are associated with their snapshots, sorted by region.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that owns the images.
      type: str
      returned: always
    aws_managed:
      description: Whether AWS manages the key. No other account can use such a key.
      type: bool
      returned: always
    grants:
      description:
        - The grants on it, each with C(grant_id), C(grantee), C(name), C(operations), and with C(created_by_collection), whether this
          collection created it in the account that owns the key, by its name and by the account under which AWS says that it was
          issued. The grantee of a grant to an AWS service is the service's name.
        - Empty for a key of another account, which cannot be read.
      type: list
      elements: dict
      returned: always
    kms_key_arn:
      description: The key's ARN.
      type: str
      returned: always
    policy_statements:
      description:
        - The statements of the key policy that give access to others than the owner's account, each with C(principals), C(org_ids),
          C(org_unit_ids), with C(org_units), which are the same each with C(org_id) and C(org_unit_id), with C(operations),
          and with C(created_by_collection), whether it is a statement of this collection.
        - C(public) is whether it gives every AWS account access. The other conditions of a statement are not returned.
      type: list
      elements: dict
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    state:
      description: The key's state.
      type: str
      returned: always
    undetermined_principals:
      description:
        - The account IDs and ARNs that an image under the key is shared with, and that may be able to use the key or not. The
          grants and the key policy give access only to a role or user of the account, or it depends on a condition that the audit
          cannot evaluate, such as the organization of the account.
      type: list
      elements: str
      returned: always
regions:
  description:
    - The regions that were read, each with C(image_block_public_access) and C(snapshot_block_public_access), which are null if
      they could not be read, and the number of C(images). C(image_block_managed_by) and C(snapshot_block_managed_by) say what
      sets these, C(account) or C(declarative-policy), which the account cannot change; null if AWS does not return it.
  returned: success, and failure after something was read
  type: dict
  sample:
    eu-west-1:
      image_block_managed_by: account
      image_block_public_access: block-new-sharing
      images: 12
      snapshot_block_managed_by: account
      snapshot_block_public_access: unblocked
unused_snapshots:
  description:
    - The snapshots that no image uses, if they are public, or if CreateImage or CopyImage made them, each with C(account_id),
      C(account_ids), C(public), C(region) and C(snapshot_id), sorted by region. Private ones have no accounts.
    - Where C(block-all-sharing) hides what is public, or may, these are all snapshots that are not encrypted.
  returned: success, and failure after something was read, without O(return_report)
  type: list
  elements: dict
report:
  description:
    - The content of C(report.json) without the C(images), of which there can be tens of thousands. Null without
      O(return_report).
  returned: success, and failure after the report was made
  type: dict
  sample:
    account_id: "111122223333"
    check_parameters: false
    counts: {high: 2, low: 0, medium: 0}
    failures: []
    findings:
      - account_id: "111122223333"
        code: unknown_account
        image_id: ami-0123456789abcdef0
        message: ami-0123456789abcdef0 (golden-web-2026.11.1) is shared with the account 123456789012.
        principal: "123456789012"
        region: eu-west-1
        remedy: "Unshare it (golden.images.remediate_ami_sharing), or allow it in the audit."
        resource: ami-0123456789abcdef0
        severity: high
    kms_keys:
      - aws_managed: false
        kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
        region: eu-west-1
        state: Enabled
        users:
          - created_by_collection: true
            operations: [CreateGrant, Decrypt, DescribeKey, GenerateDataKey, GenerateDataKeyWithoutPlaintext, ReEncryptFrom, ReEncryptTo]
            principal: arn:aws:iam::123456789012:root
            through: grant
    not_checked: []
    policy:
      allowed_account_ids: ["012345678901"]
      allowed_org_arns: []
      allowed_org_unit_arns: []
      rules: []
    regions:
      eu-west-1:
        counts: {high: 2, low: 0, medium: 0}
        image_block_managed_by: account
        image_block_public_access: block-new-sharing
        images: 1
        read: true
        shared_images: 1
        snapshot_block_managed_by: account
        snapshot_block_public_access: unblocked
    status: findings
    summary: "2 findings (2 high).\n3 images in 32 regions audited, 1 of them shared."
  contains:
    account_id:
      description: The account that owns the images. Null if it could not be read.
      type: str
      returned: always
    check_parameters:
      description: Whether shared parameters were read.
      type: bool
      returned: always
    counts:
      description: The number of findings of each severity.
      type: dict
      returned: always
    failures:
      description: What could not be read, and what to do about it.
      type: list
      elements: dict
      returned: always
    findings:
      description: The findings, as M(golden.images.ami_share_audit) returns them.
      type: list
      elements: dict
      returned: always
    kms_keys:
      description: The keys that encrypt images, each with its C(users).
      type: list
      elements: dict
      returned: always
    not_checked:
      description: What the audit was not asked to read, V(snapshots) or V(keys).
      type: list
      elements: str
      returned: always
    policy:
      description: Who is allowed - C(allowed_account_ids), C(allowed_org_arns), C(allowed_org_unit_arns) and C(rules).
      type: dict
      returned: always
    regions:
      description: For each region, whether it was read, its images, its findings by severity, and its block public access settings.
      type: dict
      returned: always
    status:
      description:
        - V(incomplete) if something could not be read, otherwise V(findings) if there are any, else V(empty) if there is no
          image, else V(clean).
      type: str
      returned: always
    summary:
      description: The result in a few sentences, and what could not be read and why.
      type: str
      returned: always
report_path:
  description: The JSON file. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
report_dir:
  description: The directory of the reports. Null if none was requested.
  returned: success, and failure after the report was made
  type: str
  sample: audit
changes:
  description: The changes since the previous report in O(report_dir). Null if there is none.
  returned: success, and failure after the report was made
  type: dict
  sample:
    added: ["eu-west-1: ami-0123456789abcdef0 (golden-web-2026.11.1) is shared with the account 123456789012. (unknown_account)"]
    removed: []
    since: "2026-11-24T12:00:00+00:00"
  contains:
    added:
      description: What is new, in sentences.
      type: list
      elements: str
      returned: always
    note:
      description: Why the reports are not compared, in a sentence, such as other accounts.
      type: str
      returned: if they are not compared
    removed:
      description: What no longer applies, in sentences.
      type: list
      elements: str
      returned: always
    since:
      description: The time of the previous report.
      type: str
      returned: always
report_s3_uri:
  description: The folder in S3, with a slash at its end. Null if the report was not to be uploaded, or not written.
  returned: success, and failure after the report was made
  type: str
report_url:
  description: The page of the folder in AWS's console, for users who may list the bucket. Null without a folder.
  returned: success, and failure after the report was made
  type: str
report_failures:
  description: The failures among RV(failures) to write or upload the report.
  returned: success, and failure after the report was made
  type: list
  elements: dict
actions:
  description: The files of the report that were written and uploaded, or would be in check mode. Nothing in AWS is changed.
  returned: success, and failure after the report was made
  type: list
  elements: dict
  sample: [{"account_id": null, "action": "write", "region": null, "resource": "audit/report.html"}]
failures:
  description: What could not be read, and the findings that O(fail_on) makes failures, with their C(code) as C(error_code).
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

from ansible_collections.golden.images.plugins.module_utils._audit.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
