#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: distribution_files
version_added: 0.1.0
short_description: Write the images of a distribution to files for other tools
description:
  - Writes region and AMI ID as variables of Terraform, as an environment file, or as JSON, depending on the file's extension.
  - Runs on the controller and starts no process. Each file is replaced as a whole, and only if its content changes.
author:
  - golden.images contributors !UNKNOWN
options:
  output_files:
    description:
      - The paths of the files, on the controller. A relative path is one of the current directory.
      - A name that ends with C(.tfvars.json) has the variable C(golden_images) for Terraform, which loads files with
        C(.auto.tfvars.json) automatically. One that ends with C(.env) has lines such as
        C(AMI_EU_WEST_1=ami-0123456789abcdef0). Any other C(.json) has the mapping C(images).
      - An existing file with other content is not replaced.
    type: list
    elements: path
    required: true
  images:
    description:
      - Mapping of region to AMI ID.
    type: dict
    default: {}
  images_by_source:
    description:
      - Mapping of the name of a source to such a mapping, for a distribution of several images. The names in the files are
        then C(golden_images_by_source), C(images_by_source), and such as C(AMI_WEB_EU_WEST_1).
    type: dict
    default: {}
extends_documentation_fragment:
  - golden.images.variable_names
attributes:
  check_mode:
    support: full
    description: Writes nothing in check mode.
  diff_mode:
    support: none
    description: The files have the images alone.
"""

EXAMPLES = r"""
- name: Copy
  golden.images.ami_copy_regions:
    source_image_id: ami-0123456789abcdef0
    source_region: us-east-1
    regions: [us-east-1, eu-west-1]
  register: copied

- name: Pass the images to Terraform and to scripts
  golden.images.distribution_files:
    output_files:
      - images.auto.tfvars.json
      - images.env
    images: "{{ copied.images }}"
"""

RETURN = r"""
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
files:
  description: The files that were written, or would be.
  returned: always
  type: list
  elements: str
  sample: [/var/lib/golden/images.auto.tfvars.json]
"""
