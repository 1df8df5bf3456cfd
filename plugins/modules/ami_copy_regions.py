#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_copy_regions
version_added: 0.1.0
short_description: Copy an AMI to multiple regions
description:
  - Copies an AMI to many regions at the same time and waits for all copies with one timeout.
  - Uses an existing copy, including one that is still pending or that was made by other means. The module can be rerun at
    any time, also after it was killed, and never copies twice.
  - Reads and checks all regions before it starts the first copy.
  - Refuses a source that was recalled, and one of which a copy that exists in a region was (tag C(golden.images:recalled)), also
    in O(best_effort_regions). A copy does not get the tag.
  - With O(account_ids), creates copies that other accounts own, under their own KMS keys, using a role in each account.
  - Tags its copies and their snapshots with C(golden.images:source). It changes tags of, and deregisters, only images that
    have this tag.
  - Reports a failed copy with AWS's reason, deregisters it if the module made it, and retries once. The copy of another account's
    encrypted image is repeated for five minutes while AWS's reason names a key, because a new grant can take that long until it
    is usable.
author:
  - golden.images contributors !UNKNOWN
options:
  source_image_id:
    description:
      - The AMI to copy.
      - Exactly one of O(source_image_id), O(source_parameter), O(source_filters), O(source_images) and O(copy_result) is
        required.
    type: str
  source_parameter:
    description:
      - The name or the ARN of an SSM parameter in O(source_region) whose value is the ID of the AMI to copy, as EC2 Image
        Builder and build pipelines write it. A version or a label can follow after a colon.
    type: str
  source_filters:
    description:
      - Filters in the format of M(amazon.aws.ec2_ami_info). The newest matching image is copied.
      - An image of another account that its owner has deprecated is not considered, as in searches of AWS.
      - A copy that this module made of another matching image in O(source_region), as with O(reencrypt_source), is not
        considered, even if that other image is not available.
      - See U(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html) for possible filters.
    type: dict
  source_owners:
    description:
      - The accounts whose images O(source_filters) may match.
      - Any account can publish an image under any name, so filters are never applied to all owners.
    type: list
    elements: str
    default: [self]
  source_images:
    description:
      - Mapping of region to the AMI to copy within that region, as this module returns in RV(images). Each of O(regions)
        requires one.
      - Use this to copy into accounts an image that its owner already has in all regions. Each copy is made within its
        region, so the accounts need access only to that region's KMS key.
      - In check mode, an ID may be null (V(none)) for an image that is planned but does not exist yet.
    type: dict
  copy_result:
    description:
      - The registered result of this module, without C(account_ids), whose images are to be copied as those in
        O(source_images) are. Those of O(regions) without an image in it are left out.
      - Check mode assumes that the images are available and shared with all O(account_ids), which earlier tasks of the same
        play only plan.
    type: dict
  share_result:
    description:
      - The registered result of M(golden.images.ami_share) for the images in O(copy_result). The regions in which it failed are
        left out. The one of a task that was skipped counts as none.
    type: dict
  source_region:
    description:
      - The region of the source image. Not used with O(source_images) and O(copy_result).
      - Defaults to O(region).
    type: str
  account_ids:
    description:
      - The accounts that will own a copy in each of O(regions), each as a string of 12 digits. By default, the account of
        the credentials. If O(account_ids) is set, that account gets copies only if it is listed too.
      - Put each ID in quotes. YAML reads unquoted digits as a number. One of 12 digits is accepted; one with fewer digits has
        lost a leading zero and is refused.
      - Copies are created, found and tagged with the credentials of O(consumer_role_name) in the account, and a key alias
        is resolved in the account.
      - To copy another account's image, an account needs launch permission for it, createVolumePermission on every snapshot,
        and access to the KMS keys of the snapshots. This is checked in every account whose copies do not exist yet, and
        everything that is missing is reported before the first copy is started. M(golden.images.ami_share) and
        M(golden.images.ami_kms_grant) grant this access. It can be revoked once the copies are available.
      - AWS copies an image with an AWS Marketplace product code, and images created from it, only within the owner's
        account.
    type: list
    elements: str
    default: []
  consumer_account_ids:
    description:
      - The accounts that will copy the image in these regions, by later tasks with O(account_ids).
      - If AWS does not copy the image into other accounts, this task fails before the first copy is started, not only the later
        ones.
    type: list
    elements: str
    default: []
  regions:
    description:
      - The regions in which the image will exist.
      - In the region of the source, the owner's image is the source itself.
    type: list
    elements: str
    required: true
  best_effort_regions:
    description:
      - Those of O(regions) whose failure or delay, in any account, does not delay or fail the task.
      - They are waited for only as long as other regions are, or, if there are no others, until O(wait_timeout) expires.
        What is not complete by then is listed in RV(failures), and the task succeeds. Rerun to complete it.
    type: list
    elements: str
    default: []
  name:
    description:
      - The name of the copies.
      - Only C({region}), C({source_name}) and C({source_image_id}) are replaced.
      - By default, the source's name and ID, shortened to the 128 characters that AWS allows.
      - The name of an existing copy is not compared, because names cannot be changed.
    type: str
  description:
    description:
      - The description of the copies, with the same replacements as O(name). AWS takes at most 255 ASCII characters.
      - By default, the source's description.
    type: str
  tags:
    description:
      - Tags of the copies.
    type: dict
  copy_tags:
    description:
      - Whether to add the source's tags to the copies. O(tags) take precedence.
    type: bool
    default: false
  snapshot_tags:
    description:
      - Tags of all snapshots of the copies.
    type: dict
  purge_tags:
    description:
      - Whether to remove tags that O(tags), O(copy_tags) and O(snapshot_tags) do not request from copies that this module
        made. If none of these is set, tags are not changed.
      - AWS's own tags, this collection's own tags and C(ec2:SharedTag/) tags are kept.
    type: bool
    default: false
  completion_duration_minutes:
    description:
      - The minutes within which AWS completes each snapshot copy (time-based copies, at a charge).
      - A multiple of 15 between 15 and 2880.
    type: int
  encrypted:
    description:
      - Whether to encrypt the copies. By default, they are encrypted if the source is or if a key is set.
      - An encrypted image cannot have unencrypted copies.
    type: bool
  kms_key_id:
    description:
      - The KMS key that encrypts the copies. An ID, an ARN or an alias, which is resolved in each region of each account.
    type: str
  kms_key_ids:
    description:
      - Mapping of region to KMS key. Takes precedence over O(kms_key_id).
    type: dict
  allow_default_key:
    description:
      - Whether copies may be encrypted under the region's default KMS key for EBS. This applies if no key is set and the copy
        would be encrypted because the source is, because of O(encrypted), or because the account encrypts by default.
      - That is usually the AWS managed key C(aws/ebs). Snapshots under it can never be shared with another account.
    type: bool
    default: false
  reencrypt_source:
    description:
      - Whether to copy the source within its own region if it is not encrypted under the requested key. Otherwise the source
        is used unchanged, with a warning.
    type: bool
    default: false
  require_shareable:
    description:
      - Whether to refuse an existing image, such as the source in its own region, that AWS does not let its owner share
        because it is encrypted under an AWS managed key.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the copies are available.
    type: bool
    default: true
  wait_timeout:
    description:
      - The timeout for all regions together, in seconds, at least 1.
      - When it expires, the task fails with the IDs of all copies. AWS continues the copies; rerun to wait for them.
    type: int
    default: 10800
  progress_path:
    description:
      - The file to which progress lines are appended while waiting.
      - With a local connection it is set automatically, and the lines are displayed on the controller.
    type: path
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing. Planned copies are null in RV(images).
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
notes:
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
"""

EXAMPLES = r"""
- name: Copy a golden image to three regions
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1, ap-southeast-2]
    tags:
      role: web
    snapshot_tags:
      role: web
  register: copied

- name: Copy the newest image of a family without waiting for one slow region
  golden.images.ami_copy_regions:
    source_filters:
      name: golden-web-*
      architecture: x86_64
    source_region: us-east-1
    regions: [eu-west-1, eu-central-1, sa-east-1]
    best_effort_regions: [sa-east-1]
    name: "{source_name}-{region}"

- name: Copy an image, each copy encrypted under the key with this alias in its region
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1, eu-central-1]
    kms_key_id: alias/golden

- name: Share the copies with an account
  golden.images.ami_share:
    copy_result: "{{ copied }}"
    account_ids: ["012345678901"]
  register: shared

- name: Create copies that the account owns, under its own keys, from the copy in each region
  golden.images.ami_copy_regions:
    copy_result: "{{ copied }}"
    share_result: "{{ shared }}"
    regions: [us-east-1, eu-west-1, eu-central-1]
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    kms_key_id: alias/web

- name: Start the copies without waiting
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [eu-west-1, eu-central-1]
    wait: false
"""

RETURN = r"""
all_available:
  description: Whether the image is available in each of O(regions) and, with O(account_ids), in each account.
  returned: success, and failure after copies were started
  type: bool
images:
  description:
    - Mapping of region to AMI ID, as other modules of this collection accept. Best-effort regions that are not ready are
      omitted.
    - In check mode, null for a planned copy.
    - With O(account_ids), a list of mappings with C(account_id), C(region) and C(image_id) instead.
  returned: success, and failure after copies were started
  type: raw
  sample: {"eu-west-1": "ami-0123456789abcdef0"}
kms_key_arns:
  description:
    - Mapping of region to the ARN of the KMS key that encrypts the image, null if it is not encrypted.
    - The key of the snapshots or, until these are readable, the requested key.
    - With O(account_ids), a list of mappings with C(account_id), C(region) and C(kms_key_arn) instead.
  returned: success, and failure after copies were started
  type: raw
  sample: {"eu-west-1": null}
results:
  description: The result for each region and, with O(account_ids), for each account in it.
  returned: success, and failure after copies were started
  type: list
  elements: dict
  sample:
    - account_id: "111122223333"
      best_effort: false
      copy_seconds: 412
      image_id: ami-0123456789abcdef0
      kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
      name: golden-web-2026.11.1-ami-0fedcba9876543210
      origin: copied
      progress: null
      region: eu-west-1
      snapshot_ids: [snap-0123456789abcdef0, snap-0fedcba9876543210]
      snapshot_kms_key_arns: [arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab]
      state: available
      tags:
        golden.images:kms-key: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
        golden.images:source: us-east-1/ami-0fedcba9876543210
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    best_effort:
      description: Whether the region is one of O(best_effort_regions).
      type: bool
      returned: always
    copy_seconds:
      description:
        - The seconds from the creation of the copy until AWS had completed its last snapshot. Known of a copy that the task
          waited for, and of an earlier one if it is encrypted or O(snapshot_tags) is set, else null.
      type: int
      returned: always
    image_id:
      description: The AMI ID, null if there is no image.
      type: str
      returned: always
    kms_key_arn:
      description: The ARN of the KMS key that encrypts it, null if there is none.
      type: str
      returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    origin:
      description:
        - V(source) for the source itself, V(copied) for a copy that this task started or could not start, V(found) for an
          earlier copy by this module, V(adopted) for a copy that was made by other means.
      type: str
      returned: always
    progress:
      description: The percentage copied, null if AWS did not report it while the task waited.
      type: int
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    snapshot_ids:
      description: The IDs of the image's snapshots, empty while it is pending.
      type: list
      elements: str
      returned: always
    snapshot_kms_key_arns:
      description: The ARNs of the KMS keys that encrypt the snapshots, empty while the image is pending.
      type: list
      elements: str
      returned: always
    state:
      description: The image's state when it was last read, null if there is no image.
      type: str
      returned: always
    tags:
      description: The image's tags, those of this collection included, other than tags of AWS.
      type: dict
      returned: always
source_image_id:
  description: The image that was copied. Null with O(source_images) and O(copy_result).
  returned: success, and failure after copies were started
  type: str
source_region:
  description: The region of the image that was copied. Null with O(source_images) and O(copy_result).
  returned: success, and failure after copies were started
  type: str
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region. A
      call that is repeated with the same resource, such as a grant for each account, is listed once,
      with its number as C(count).
  returned: success, and failure after copies were started
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "CopyImage", "region": "eu-west-1", "resource": null}]
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

from ansible_collections.golden.images.plugins.module_utils._copy.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
