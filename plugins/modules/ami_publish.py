#!/usr/bin/python
# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ami_publish
version_added: 0.1.0
short_description: Publish an AMI in SSM parameters and launch templates
description:
  - Writes each region's image to an SSM parameter of data type C(aws:ec2:image), and to launch templates if
    O(launch_templates) is set, in every region and account. Users launch the image without its ID.
  - The images must be available. Images of the account whose credentials are used must be shared, and every other account
    must be able to see its image. Everything is read and checked in all regions and accounts before the first change.
  - Refuses an image that was recalled (tag C(golden.images:recalled)), also to roll back to it and in O(best_effort_regions). The
    tags of another account's image are not visible.
  - AWS validates a new value asynchronously. The module waits until the value can be read.
  - A task that publishes no image fails, even if all that failed is in O(best_effort_regions).
  - Each published version gets a label with the source image. O(source_image_id) uses it to roll back.
  - With O(publish_share), other accounts read the parameter of the account whose credentials are used by its ARN, without a
    parameter of their own.
author:
  - golden.images contributors !UNKNOWN
options:
  parameter:
    description:
      - The name of the parameter, the same in every region and account.
      - If it exists, it must be a V(String) of data type C(aws:ec2:image), with an image of the same architecture.
    type: str
    required: true
  tier:
    description:
      - The tier of the parameter. By default, a new parameter gets the account's default tier, and others keep theirs.
      - V(Intelligent-Tiering) only has an effect on new versions.
      - Only V(Advanced) parameters can be shared with other accounts. AWS charges for them and cannot change them back.
        O(publish_share) makes the parameter that it shares an advanced one.
    type: str
    choices: [Standard, Advanced, Intelligent-Tiering]
  parameter_tags:
    description:
      - Tags to add to the parameter. Other tags are kept. A new parameter is created with them.
    type: dict
  publish_share:
    description:
      - Accounts, each 12 digits in quotes, and ARNs of organizations and organizational units that the parameter of the account
        whose credentials are used is shared with through AWS RAM, in each region. Their launch templates name it by its ARN
        (RV(results[].parameter_arn)). The images must be shared with them, too.
      - They are added to the resource share that has the parameter and a name derived from it, such as
        C(golden-images-golden-web-65223423). Without O(publish_share_purge), nobody is removed from it. It is refused if it has
        other resources, or if it lacks the parameter, or has it although it does not exist, and has consumers that are not named
        here.
      - A warning names who else has the parameter, also through resource shares of other names, which are not changed.
      - The parameter becomes an advanced one, for which AWS charges. Organizations and organizational units require that
        sharing with AWS Organizations is enabled in AWS RAM.
      - Parameters of O(account_ids) are not shared. Those that AWS has rejected in O(share_result) are left out.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(absent) publishes nothing, and deletes no parameter. In each region of O(images) whose parameter names that image,
        O(publish_share) and their roles and users are removed from the parameter's resource share, and nobody else. Warnings
        name those of O(publish_share) that keep the parameter, and organizations that accounts may belong to, and have the
        command for resource shares of other names, which are not changed. Who does not have the parameter is not named.
      - V(absent) takes no other options than O(images), O(parameter), O(publish_share), O(best_effort_regions) and
        O(wait_timeout).
    type: str
    choices: [present, absent]
    default: present
  publish_share_external:
    description:
      - Whether accounts in O(publish_share) may be outside of the organization. AWS RAM sends them an invitation, and they
        cannot read the parameter before they have accepted it. A warning names them, and the module does not wait for it.
      - With V(false), AWS refuses such accounts, unless the owner's account is in no organization. An existing resource share
        decides itself whether it allows them. If that is not what this option says, no account is added.
      - Without sharing with AWS Organizations, accounts of the organization count as outside of it.
    type: bool
    default: false
  publish_share_purge:
    description:
      - Whether the parameter's resource share keeps only the consumers in O(publish_share). All others are removed from it, in
        each region, before anything is published there. A region in which AWS still has them after a minute fails.
      - Consumers that an earlier run has removed are waited for, too.
      - A resource share without consumers is deleted. Resource shares of other names are not changed.
      - If an account was rejected in O(share_result), nobody is removed, and a warning says who keeps the parameter.
    type: bool
    default: false
  allow_empty_purge:
    description:
      - Whether O(publish_share_purge=true) may take the parameter back from all consumers when none is named.
    type: bool
    default: false
  launch_templates:
    description:
      - Names of launch templates whose default version is to launch the image, the same in every region and account. For a
        single region, IDs can be used, too.
      - The module creates a version that differs only in the image from the one that it is based on, by default the default
        version (O(launch_template_base_version)), and makes it the default. The version omits snapshots of the previous image,
        and any snapshot of the root device that is not the new image's own, because EC2 would not launch it.
      - A template whose latest version is not the default one, and differs from it in more than the image, is refused, unless
        O(launch_template_base_version) is set.
      - A template that takes its image from O(parameter), as C(resolve:ssm:) and its name, in its default and its latest version
        only gets a new version if it contains such snapshots.
    type: list
    elements: str
    default: []
  launch_template_base_version:
    description:
      - The version that a template's new version is based on. The new version becomes the default and the latest one. Auto
        Scaling groups launch from C($Default), C($Latest) or a version number.
      - If it is not set, the module fails if the default and the latest version differ in more than the image, because launches
        from one of them would get the parameters of the other. If only the latest one lacks the image, it is replaced.
      - V(default) keeps the parameters of the default version. If that has the image, a latest version without it is kept.
      - V(latest) keeps the parameters of the latest version.
    type: str
    choices: [default, latest]
  verify_result:
    description:
      - The registered result of M(golden.images.ami_verify), also of a task that has failed. Images are left out in the regions
        that are not in its C(verified_regions). The one of a task that was skipped counts as none, and no image is left out.
      - If it has no such region, nothing is published, and a warning says so.
    type: dict
  source_image_id:
    description:
      - The image that O(images) are copies of, for the label C(source-ami-...). By default it is that of O(copy_result), or read
        from the images. One of them from which others were copied is their source, even if it is itself a copy.
      - Without O(images) and O(image_id), the source of the images to roll back to. Each of O(regions) gets the image with its
        label, or the source itself if it was published there. If a region has no such image, nothing is changed in any region.
    type: str
  source_region:
    description:
      - The region of O(source_image_id), by default that of O(copy_result). Only used in check mode, for the architecture of
        copies that do not exist yet.
    type: str
  regions:
    description:
      - The regions in which to roll back to O(source_image_id). Mutually exclusive with O(images) and O(image_id).
    type: list
    elements: str
    default: []
  account_ids:
    description:
      - Other accounts in which to publish the images, too, each 12 digits in quotes. An account that has its own image in
        O(images) gets that one.
      - Each account must be able to see the image, and have the role O(consumer_role_name). Those that AWS has rejected in
        O(share_result) are left out.
    type: list
    elements: str
    default: []
  publish_older:
    description:
      - Whether to publish an image although its original source is older than that of the image that O(parameter) has now.
        By default that is refused, because it is usually a mistake.
      - An image that is no copy is its own source; of copies, the date of the first image that was copied counts. What is
        not known is a warning. A rollback (O(regions)) is always allowed.
    type: bool
    default: false
  require_shared:
    description:
      - Whether an image of the account whose credentials are used must be shared with another account.
      - With V(false), check mode also assumes that O(account_ids) will see images that they cannot see yet, because an earlier
        task would share them.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait in each region until AWS has validated the new value.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - golden.images.option_forms
  - golden.images.progress
  - golden.images.images_by_target
  - golden.images.shared_copies
  - golden.images.consumer_role
  - golden.images.best_effort_regions
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    description: Plans everything and changes nothing.
  diff_mode:
    support: full
    description: Shows each change once, with the regions that have it in common. RV(diff) has the states before and after.
"""

EXAMPLES = r"""
- name: Publish the copies of an image in a parameter and a launch template
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    launch_templates: [web]
    parameter_tags:
      team: platform

- name: Publish them in another account, too
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    account_ids: ["012345678901"]
    consumer_role_name: golden-consumer

- name: Share the parameter of each region with another account, which then needs none of its own
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    publish_share: ["012345678901"]

- name: Publish, and take the parameter back from all others
  golden.images.ami_publish:
    images: "{{ copied.images }}"
    source_image_id: ami-0123456789abcdef0
    parameter: /golden/web
    publish_share: ["012345678901"]
    publish_share_purge: true

- name: Take the parameter back from an account, and publish nothing
  golden.images.ami_publish:
    images:
      eu-west-1: ami-0123456789abcdef0
    parameter: /golden/web
    publish_share: ["123456789012"]
    state: absent

- name: Roll back to the copies of an earlier image
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
  sample:
    - account_id: "111122223333"
      changed: true
      image_id: ami-0123456789abcdef0
      label: source-ami-0fedcba9876543210
      launch_templates: {"web": 2}
      parameter: /golden/web
      parameter_arn: arn:aws:ssm:eu-west-1:111122223333:parameter/golden/web
      parameter_version: 7
      region: eu-west-1
      shared_with: []
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
      description: The label of the parameter's version. Null with O(state=absent).
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
    parameter_arn:
      description: The ARN of the parameter, by which accounts that it is shared with resolve it.
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
    shared_with:
      description:
        - The accounts, organizations and organizational units in the parameter's resource share, those included that have not
          accepted an invitation.
        - Empty without O(publish_share) and O(publish_share_purge), and for parameters of other accounts.
      type: list
      elements: str
      returned: always
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

from ansible_collections.golden.images.plugins.module_utils._publish.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import run


def main():
    run(FLOW)


if __name__ == "__main__":
    main()
