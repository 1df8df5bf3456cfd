#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_shared_info
version_added: 0.1.0
short_description: List the AMIs that other accounts share with this one
description:
  - Lists the AMIs that other accounts share with the account whose credentials are used, in all regions at the same time,
    whether they are shared with the account itself, its organization, or an organizational unit it is in.
  - Returns the age of each, whether it is deprecated, and whether these credentials can use the keys that it is encrypted
    with.
  - The account's own images are left out; M(amazon.aws.ec2_ami_info) lists those.
  - Changes nothing. If a region cannot be read, the task fails and returns the images of the others.
author:
  - golden.images contributors !UNKNOWN
options:
  executable_users:
    description:
      - V(self) finds what is shared with the account, its organization and its organizational units.
      - V(all) finds public images and requires O(owners) or O(image_ids), because any account can publish an image of any name.
    type: list
    elements: str
    choices: [self, all]
    default: [self]
    aliases: [executable_user]
  owners:
    description:
      - The owners of the images, as account IDs or aliases such as V(amazon). By default, any owner.
      - Any account can share an image with any other. List the owners that you trust before you launch an image.
      - Account IDs must be quoted.
    type: list
    elements: str
    default: []
    aliases: [owner]
  image_ids:
    description:
      - Only these images. Each is searched in all regions; a warning names those that are not found.
    type: list
    elements: str
    default: []
    aliases: [image_id]
  filters:
    description:
      - Only images that match all of these filters of DescribeImages, each with a value or a list of values.
      - See U(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html). Names and values are case
        sensitive.
      - Only tags whose keys begin with C(ec2:SharedTag/) are visible in other accounts, and can be used in filters.
    type: dict
  regions:
    description:
      - The regions to search. By default, all that are enabled for the account.
    type: list
    elements: str
    default: []
  include_deprecated:
    description:
      - Whether deprecated images are listed. They can still be launched.
    type: bool
    default: true
  check_key_access:
    description:
      - Whether to test the access to the keys of encrypted images.
      - It is tested with DescribeKey and with dry runs, which do not use the key. CloudTrail logs all of these requests, denied
        ones included.
    type: bool
    default: true
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Does not change anything in any mode.
  diff_mode:
    support: none
    description: There are no changes to show.
notes:
  - O(region) is only used to read the account and the list of regions. Images are searched in O(regions). If these are all
    in another partition, the first of them is used instead.
  - KMS keys that a snapshot is associated with, beside its own key, are read with botocore 1.44.4 or newer.
"""

EXAMPLES = r"""
- name: List all images that are shared with this account
  golden.images.ami_shared_info:

- name: Find the golden images that can be launched here
  golden.images.ami_shared_info:
    owners: ["111122223333"]
    filters:
      name: golden-*
      architecture: [x86_64, arm64]
    regions: [eu-west-1, us-east-1]
    include_deprecated: false
  register: shared

- name: Show those whose keys this account can use
  ansible.builtin.debug:
    msg: "{{ shared.results | selectattr('key_access', 'in', ['yes', 'not_needed'])
      | map(attribute='image_id') }}"

- name: List the public images of one owner
  golden.images.ami_shared_info:
    executable_users: [all]
    owners: [amazon]
    filters:
      name: al2023-ami-2023.*
    regions: [eu-west-1]
"""

RETURN = r"""
account_id:
  description: The account whose credentials were used.
  returned: success, and failure after something was read
  type: str
  sample: "012345678901"
regions:
  description: The regions that were read.
  returned: success, and failure after something was read
  type: list
  elements: str
  sample: [eu-west-1, us-east-1]
results:
  description: The images, sorted by region, name and age, the oldest first.
  returned: success, and failure after something was read
  type: list
  elements: dict
  sample:
    - age_days: 4
      architecture: x86_64
      creation_date: "2026-11-24T18:03:56.617Z"
      deprecated: false
      deprecation_time: null
      description: Web server
      encrypted: true
      image_id: ami-0123456789abcdef0
      image_owner_alias: null
      key_access: "yes"
      key_access_reason: KMS allows these credentials every operation that launching and copying need.
      kms_key_arns: [arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab]
      name: golden-web-2026.11.1
      owner_id: "111122223333"
      platform_details: Linux/UNIX
      product_codes: []
      public: false
      region: eu-west-1
      snapshot_ids: [snap-0123456789abcdef0]
      state: available
      tags: {"ec2:SharedTag/release": "2026.11.1"}
  contains:
    age_days:
      description: Whole days since the image was created. Null if AWS does not return the creation date.
      type: int
      returned: always
    architecture:
      description: The architecture.
      type: str
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
      description: The deprecation time. Null if the owner has not set one.
      type: str
      returned: always
    description:
      description: The description that the owner gave the image.
      type: str
      returned: always
    encrypted:
      description: Whether any snapshot is encrypted.
      type: bool
      returned: always
    image_id:
      description: The AMI ID.
      type: str
      returned: always
    image_owner_alias:
      description: An alias of the owner, such as V(amazon). Null unless the owner is AWS or one of its partners.
      type: str
      returned: always
    key_access:
      description:
        - V(not_needed) if no snapshot is encrypted.
        - V(yes) if KMS allows these credentials every operation that AWS documents as required, with every key of the image. An
          instance can still fail for other reasons.
        - V(no) if KMS denies C(Decrypt) with an explicit deny, or if a key is not enabled, unless its snapshot is associated
          with another key.
        - V(unknown) if it cannot be determined, for example because the owner does not share the snapshots, or because KMS
          denies these credentials a direct call without an explicit deny. Policies may allow it only through EC2
          (C(kms:ViaService), C(kms:GrantIsForAWSResource)), as in a launch.
      type: str
      returned: always
    key_access_reason:
      description: The reason for RV(results[].key_access).
      type: str
      returned: always
    kms_key_arns:
      description: The ARNs of the keys of the snapshots that are shared with this account.
      type: list
      elements: str
      returned: always
    name:
      description: The image's name.
      type: str
      returned: always
    owner_id:
      description: The account that owns the image.
      type: str
      returned: always
    platform_details:
      description: The platform, such as V(Linux/UNIX).
      type: str
      returned: always
    product_codes:
      description: The product codes.
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
    snapshot_ids:
      description: The snapshots of the image.
      type: list
      elements: str
      returned: always
    state:
      description: The image's state.
      type: str
      returned: always
    tags:
      description: The tags that accounts other than the owner can see, with the prefix C(ec2:SharedTag/).
      type: dict
      returned: always
actions:
  description: Always empty, since nothing is changed.
  returned: success, and failure after something was read
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
from ansible_collections.golden.images.plugins.module_utils._shared_info.flow import FLOW


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
