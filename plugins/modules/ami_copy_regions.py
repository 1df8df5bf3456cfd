#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_copy_regions
version_added: 0.1.0
short_description: Make an AMI exist in every region that needs it
description:
  - Copies an AMI to many regions at the same time and waits for all copies under one deadline.
  - A copy that exists already is found and used, be it still pending, or made by somebody else. The module can be run
    again after anything, also after it was killed, and never copies twice.
  - Everything is read and checked in all regions before the first copy is started.
  - With O(account_ids) it makes copies that other accounts own, under keys of their own, by a role in each of them.
  - The module marks its copies and their snapshots with the tag C(golden.images:source) and changes tags of, or removes,
    only images that carry it.
  - A copy that ended as failed is reported with AWS's reason, removed if it is this module's own, and retried once.
author:
  - golden.images contributors !UNKNOWN
options:
  source_image_id:
    description:
      - The AMI to copy.
      - Exactly one of O(source_image_id), O(source_filters) and O(source_images) is required.
    type: str
  source_filters:
    description:
      - Filters as M(amazon.aws.ec2_ami_info) takes them; the newest image that matches is copied.
      - See U(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html) for the filters.
    type: dict
  source_owners:
    description:
      - Accounts whose images O(source_filters) may match.
      - Anybody can publish an image under any name, so that a filter must never be applied to all owners.
    type: list
    elements: str
    default: [self]
  source_images:
    description:
      - Mapping of region to the AMI in it to copy within that region, as this module returns it in RV(images). Each of
        O(regions) needs one.
      - So accounts get their copies of an image that its owner has in all regions already, each from the nearest, and need
        no key but that region's.
      - In check mode an id may be null (V(none)), for an image that is planned but does not exist yet.
    type: dict
  source_region:
    description:
      - The region of the source image. Not used with O(source_images).
      - Defaults to O(region).
    type: str
  assume_source_ready:
    description:
      - Only used in check mode. Whether to plan as if the source were available, and shared with all O(account_ids), which
        tasks of the same play see to that check mode has only planned as well.
    type: bool
    default: false
  account_ids:
    description:
      - The accounts that are to own a copy in each of O(regions), each 12 digits as text. By default it is the one whose
        credentials are used; where others are named it has to be named as well if it is to have copies.
      - Put each in quotes. YAML reads unquoted digits as a number, which loses a leading zero, so a number is refused.
      - Copies are made, found and tagged with the credentials of O(consumer_role_name) in the account, and a key's alias is
        the account's own.
      - An account that is to copy another's image needs launch permission for it, createVolumePermission on every snapshot,
        and the use of the keys that these are encrypted under. This is checked first in every account that does not have its
        copies yet, and all that is missing is named before the first copy is started. M(golden.images.ami_share) and
        M(golden.images.ami_kms_grant) give it. Once the copies are available it can be withdrawn.
    type: list
    elements: raw
    default: []
  regions:
    description:
      - The regions in which the image is to exist.
      - If the source's own region is among them and the source belongs to the account, the source itself is the image there.
    type: list
    elements: str
    required: true
  best_effort_regions:
    description:
      - Those of O(regions) whose failure or delay, in whichever account, holds nobody up.
      - They are waited for only as long as other regions are. What is not done by then is listed in RV(failures), and
        the task succeeds. Running again does the rest.
    type: list
    elements: str
    default: []
  name:
    description:
      - The copies' name.
      - C({region}), C({source_name}) and C({source_image_id}) are replaced, nothing else is.
      - By default the source's name followed by its id, shortened to the 128 characters that AWS allows.
      - The name of an existing copy is not compared, since a name cannot be changed.
    type: str
  description:
    description:
      - The copies' description, with the same replacements as O(name).
      - By default the source's description.
    type: str
  tags:
    description:
      - Tags of the copies.
    type: dict
  copy_tags:
    description:
      - Whether the copies also get the source's tags. Those in O(tags) win.
    type: bool
    default: false
  snapshot_tags:
    description:
      - Tags of all snapshots of the copies.
    type: dict
  purge_tags:
    description:
      - Whether tags that O(tags), O(copy_tags) or O(snapshot_tags) do not ask for are removed from copies that this module
        made. Where none of these is set, tags are left alone.
      - AWS's own tags, this collection's marks and C(ec2:SharedTag/) tags stay.
    type: bool
    default: false
  completion_duration_minutes:
    description:
      - Let AWS finish each snapshot's copy within this time (time-based copies, at a price), 15 to 2880 in steps of 15.
    type: int
  encrypted:
    description:
      - Whether the copies are encrypted. Unset, they are if the source is or a key is named.
      - An encrypted image has no unencrypted copies.
    type: bool
  kms_key_id:
    description:
      - The key to encrypt the copies under. An id, an ARN or an alias, which is looked up in each region of each account.
    type: str
  kms_key_ids:
    description:
      - Mapping of region to key, before O(kms_key_id).
    type: dict
  allow_default_key:
    description:
      - Whether a copy that would be encrypted without a named key, because the source is, because of O(encrypted), or because
        the account encrypts by default, may be encrypted under the region's default key for EBS.
      - That is usually the AWS-managed key C(aws/ebs), and snapshots under it can never be shared with another account.
    type: bool
    default: false
  reencrypt_source:
    description:
      - Whether the source's own region gets a copy if the source there is not under the wanted key. Otherwise the source is
        used as it is, with a warning.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the copies are available.
    type: bool
    default: true
  wait_timeout:
    description:
      - One deadline for all regions, in seconds.
      - When it passes, the task fails with the ids of all copies; AWS goes on copying, and running again waits for them.
    type: int
    default: 10800
  progress_path:
    description:
      - A file to append lines on the progress of the copies to, while waiting.
      - With a local connection it is set by itself, and the lines are shown on the controller's screen.
    type: path
extends_documentation_fragment:
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing. Copies that do not exist yet are null in RV(images).
  diff_mode:
    support: full
    description: Shows each region's image before and after.
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

- name: Copy the newest image of a family, not held up by one slow region
  golden.images.ami_copy_regions:
    source_filters:
      name: golden-web-*
      architecture: x86_64
    source_region: us-east-1
    regions: [eu-west-1, eu-central-1, sa-east-1]
    best_effort_regions: [sa-east-1]
    name: "{source_name}-{region}"

- name: Copy an encrypted image, each copy under its region's key of that alias
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1, eu-central-1]
    kms_key_id: alias/golden-images

- name: Share the copies with an account
  golden.images.ami_share:
    images: "{{ copied.images }}"
    account_ids: ["012345678901"]

- name: Let it own copies under keys of its own, each made from the copy in its region
  golden.images.ami_copy_regions:
    source_images: "{{ copied.images }}"
    regions: "{{ copied.images.keys() | list }}"
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer
    kms_key_id: alias/web

- name: Start the copies and go on
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [eu-west-1, eu-central-1]
    wait: false
"""

RETURN = r"""
images:
  description:
    - Region to image id, as later modules of this collection take it. Best-effort regions that are not ready are missing.
    - In check mode null for a copy that would be made.
    - With O(account_ids) a list of mappings with C(account_id), C(region) and C(image_id) instead.
  returned: success, and failure after copies were started
  type: raw
  sample: {"eu-west-1": "ami-0123456789abcdef0"}
kms_key_arns:
  description:
    - Region to the ARN of the key that encrypts the image there, null if it is not encrypted.
    - The key that the snapshots really got or, until AWS tells, the one that the copy was asked for with.
    - With O(account_ids) a list of mappings with C(account_id), C(region) and C(kms_key_arn) instead.
  returned: success, and failure after copies were started
  type: raw
  sample: {"eu-west-1": null}
results:
  description: What became of each region and, with O(account_ids), of each account in it.
  returned: success, and failure after copies were started
  type: list
  elements: dict
  contains:
    account_id:
      description: The account that owns the image.
      type: str
      returned: always
    best_effort:
      description: Whether the region is one of O(best_effort_regions).
      type: bool
      returned: always
    image_id:
      description: The image, null if there is none.
      type: str
      returned: always
    kms_key_arn:
      description: The key that encrypts it, if any.
      type: str
      returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    origin:
      description:
        - V(source) for the source itself, V(copied) for a copy that this task started, V(found) for an earlier one,
          V(adopted) for a copy that somebody else made.
      type: str
      returned: always
    progress:
      description: Percent copied, if AWS said so while the task waited.
      type: int
      returned: always
    region:
      description: The region.
      type: str
      returned: always
    snapshot_ids:
      description: The snapshots behind the image, empty while it is pending.
      type: list
      elements: str
      returned: always
    snapshot_kms_key_arns:
      description: ARNs of the keys that the snapshots are encrypted under, empty while the image is pending.
      type: list
      elements: str
      returned: always
    state:
      description: The image's state when it was last looked at, null if there is none.
      type: str
      returned: always
source_image_id:
  description: The image that was copied, null with O(source_images).
  returned: success, and failure after copies were started
  type: str
source_region:
  description: The region of the image that was copied, null with O(source_images).
  returned: success, and failure after copies were started
  type: str
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region.
  returned: success, and failure after copies were started
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "CopyImage", "region": "eu-west-1", "resource": null}]
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

from ansible_collections.golden.images.plugins.module_utils.arguments import CONSUMER_ROLE_SPEC
from ansible_collections.golden.images.plugins.module_utils.copy.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.runner import run

ARGUMENT_SPEC = {
    **CONSUMER_ROLE_SPEC,
    "source_image_id": {"type": "str"},
    "source_filters": {"type": "dict"},
    "source_owners": {"type": "list", "elements": "str", "default": ["self"]},
    "source_images": {"type": "dict"},
    "source_region": {"type": "str"},
    "assume_source_ready": {"type": "bool", "default": False},
    # Not "str": the module would silently be given the text of what YAML made of unquoted digits.
    "account_ids": {"type": "list", "elements": "raw", "default": []},
    "regions": {"type": "list", "elements": "str", "required": True},
    "best_effort_regions": {"type": "list", "elements": "str", "default": []},
    "name": {"type": "str"},
    "description": {"type": "str"},
    "tags": {"type": "dict"},
    "copy_tags": {"type": "bool", "default": False},
    "snapshot_tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "completion_duration_minutes": {"type": "int"},
    "encrypted": {"type": "bool"},
    "kms_key_id": {"type": "str"},
    "kms_key_ids": {"type": "dict", "no_log": False},
    "allow_default_key": {"type": "bool", "default": False},
    "reencrypt_source": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 10800},
    "progress_path": {"type": "path"},
}

SOURCES = ("source_image_id", "source_filters", "source_images")


def main():
    run(
        FLOW,
        ARGUMENT_SPEC,
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
    )


if __name__ == "__main__":
    main()
