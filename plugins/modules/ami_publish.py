#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_publish
version_added: 0.1.0
short_description: Point SSM parameters and launch templates to an AMI, in every region and account
description:
  - Makes an SSM parameter of data type C(aws:ec2:image), and launch templates if named, name each region's image. Whoever
    launches what they name needs to know no image id.
  - Only images that are available. Those of the account whose credentials are used must be shared with somebody, and every
    other account must be able to see its image. Everything is read and checked in all regions and accounts before the
    first parameter changes.
  - AWS validates a new value only after it has answered. The module waits until the value can be read back.
  - Each published version is labelled with the image it is a copy of. By that label O(source_image_id) leads back to it.
author:
  - golden.images contributors !UNKNOWN
options:
  parameter:
    description:
      - The name of the parameter, the same in every region and account.
      - One that is no V(String) of data type C(aws:ec2:image) is refused, and so is one that names an image of another
        architecture.
    type: str
    required: true
  tier:
    description:
      - The tier of the parameter. Without it a new one gets the account's default, and others keep theirs.
      - V(Intelligent-Tiering) only counts where AWS chooses the tier, which is with new versions.
      - Parameters can be shared with other accounts only if they are V(Advanced), which AWS charges for and cannot undo.
    type: str
    choices: [Standard, Advanced, Intelligent-Tiering]
  parameter_tags:
    description:
      - Tags to add to the parameter. Others are left alone.
    type: dict
  launch_templates:
    description:
      - Names of launch templates whose default version is to launch the image, the same in every region and account. For a
        single region also ids.
      - The new version is the present default with only the image changed, and becomes the default.
      - A template whose default version takes its image from O(parameter), as C(resolve:ssm:) and its name, needs no new one.
    type: list
    elements: str
    default: []
  source_image_id:
    description:
      - The image that O(images) are copies of, for the label C(source-ami-...). By default it is read from the images.
      - Without O(images) and O(image_id), the image to go back to. Each of O(regions) gets the image that carries its label.
        If one has none, or its image is gone, nothing is changed anywhere.
    type: str
  source_region:
    description:
      - The region of O(source_image_id). Only used in check mode, to know the architecture of copies that do not exist yet.
    type: str
  regions:
    description:
      - The regions in which to go back to O(source_image_id). Not together with O(images) or O(image_id).
    type: list
    elements: str
    default: []
  account_ids:
    description:
      - Other accounts in which to publish the images as well, each 12 digits as text, in quotes. An account that has an image
        of its own in O(images) gets that one.
      - Each account must be able to see the image, and have the role O(consumer_role_name).
    type: list
    elements: raw
    default: []
  require_shared:
    description:
      - Whether an image of the account whose credentials are used must be shared with somebody.
      - With V(false), check mode also takes it that O(account_ids) will see images that they cannot see yet, since an earlier
        task would have shared them.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, in each region, until AWS has validated the new value.
    type: int
    default: 300
extends_documentation_fragment:
  - golden.images.placed_images
  - golden.images.consumer_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing.
  diff_mode:
    support: full
    description: Shows what the parameter and the launch templates name, before and after.
"""

EXAMPLES = r"""
- name: Publish the copies of an image, and launch them from a template
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    launch_templates: [web]
    parameter_tags:
      team: platform

- name: Publish them in another account too
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer

- name: Go back to the copies of an earlier image
  golden.images.ami_publish:
    source_image_id: ami-0123456789abcdef0
    regions: [eu-west-1, us-east-1]
    parameter: /golden/web
"""

RETURN = r"""
images:
  description:
    - The images, as specified in the options.
    - In a rollback, the images that were found, as a mapping of region to AMI ID, or as a list with O(account_ids).
  returned: success, and failure after something was changed
  type: raw
  sample: {"eu-west-1": "ami-0123456789abcdef0"}
results:
  description: The parameter and launch templates of each image. Regions that failed are missing.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  contains:
    account_id:
      description: The account of the parameter and the launch templates.
      type: str
      returned: always
    changed:
      description: Whether anything changed in this region of this account.
      type: bool
      returned: always
    image_id:
      description: The AMI ID. Null for a copy that does not exist yet.
      type: str
      returned: always
    label:
      description: The label of the parameter's version.
      type: str
      returned: always
    launch_templates:
      description: Mapping of launch template name to the number of its default version. Null if it is not known in check mode.
      type: dict
      returned: always
    parameter:
      description: The name of the parameter.
      type: str
      returned: always
    parameter_version:
      description: The version of the parameter that names the image. Null if it is not known in check mode.
      type: int
      returned: always
    region:
      description: The region.
      type: str
      returned: always
actions:
  description:
    - The AWS calls that changed something, or would in check mode, in their order in each region.
  returned: success, and failure after something was changed
  type: list
  elements: dict
  sample: [{"account_id": "111122223333", "action": "PutParameter", "region": "eu-west-1", "resource": "/golden/web"}]
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

from ansible_collections.golden.images.plugins.module_utils.publish.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.publish.options import ARGUMENT_SPEC
from ansible_collections.golden.images.plugins.module_utils.runner import run


def main():
    run(FLOW, ARGUMENT_SPEC, mutually_exclusive=[("images", "image_id")])


if __name__ == "__main__":
    main()
