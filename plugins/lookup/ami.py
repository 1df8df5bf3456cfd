# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup: the newest golden image of a family that can be launched in a region."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ami
version_added: 0.1.0
short_description: The ID of the newest image that can be launched in a region
description:
  - Finds the newest image with a name, with tags or both, or the image that a Systems Manager parameter names, and returns
    its ID, for C(amazon.aws.ec2_instance), launch templates, or anything else that takes an AMI ID.
  - Fails if no image was found that can be launched. Pending, failed, disabled and deregistered images cannot be launched.
    Deprecated images can, but only their ID and a parameter find them.
  - An image that was recalled (tag C(golden.images:recalled)) is never the result, also if its ID or a parameter names it. Only
    the account of the image sees this tag.
  - Images that the account's Allowed AMIs settings hide are not found. In audit mode these settings hide no image, so an
    image that they do not allow can be the result.
  - The newest image is the one that AWS created last in the region. The creation date of a copy is the time of the copy.
  - An image whose KMS key is not enabled, for example because its deletion is scheduled, is not found either. The same
    applies to a key that was deleted, in the account of the key. If an older image is the result, a warning names the newer
    one.
  - Whether the key's policies allow the launch is not checked, because they may allow it through EC2 only. Only a launch
    shows that, see M(golden.images.ami_launch_probe).
author:
  - golden.images contributors !UNKNOWN
options:
  _terms:
    description:
      - Names of images, which can contain the wildcards V(*) and V(?), or AMI IDs. One ID is returned for each.
      - Optional with O(tags) or O(parameter).
    type: list
    elements: str
  tags:
    description:
      - Tags that the image must have, each with this value. In accounts that an image is shared with, these are the
        tags of O(golden.images.ami_share#module:shared_tags), with the prefix C(ec2:SharedTag/).
    type: dict
    default: {}
  architecture:
    description:
      - The architecture of the image.
    type: str
    choices: [arm64, arm64_mac, i386, x86_64, x86_64_mac]
  owners:
    description:
      - The owners of the images. V(self) is the account of the credentials. Use the ID of the account that shares its images
        with this one.
    type: list
    elements: str
    default: [self]
  parameter:
    description:
      - The name of a Systems Manager parameter whose value is the AMI ID, as M(golden.images.ami_publish) writes it.
        A parameter that another account shares is named by its ARN.
      - Its image is found whatever its name, O(tags) and O(architecture) are, but only if it belongs to O(owners).
    type: str
  check_key_state:
    description:
      - Whether to read the state of the KMS keys of the newest image, if it is encrypted. What cannot be read excludes no image.
    type: bool
    default: true
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
notes:
  - The required permissions are C(ec2:DescribeImages) and, for O(parameter), C(ssm:GetParameter). O(check_key_state)
    also needs C(ec2:DescribeSnapshots) and C(kms:DescribeKey).
  - The options, other than those of the connection, have the forms of a module's options, so that a template can pass the
    text of a survey. O(owners) can be separated by commas or lines, and O(tags) can be YAML or JSON text. Blank text counts as
    not set, but each of the terms is required.
"""

EXAMPLES = r"""
- name: Launch the newest image of a family
  amazon.aws.ec2_instance:
    name: web-1
    region: eu-west-1
    image_id: "{{ lookup('golden.images.ami', 'golden-web-*', region='eu-west-1') }}"
    instance_type: t3.micro
    vpc_subnet_id: subnet-0123456789abcdef0

- name: Show the newest image for arm64 with a tag that its owner shares with this account
  ansible.builtin.debug:
    msg: "{{ lookup('golden.images.ami', tags={'ec2:SharedTag/family': 'web'}, architecture='arm64',
      owners=['123456789012'], region='eu-west-1') }}"

- name: Show the image that is published in each region
  ansible.builtin.debug:
    msg: "{{ item }} {{ lookup('golden.images.ami', parameter='/golden/web', region=item) }}"
  loop: [us-east-1, eu-west-1]
"""

RETURN = r"""
_raw:
  description:
    - The AMI ID for each of the terms, in their order, and after them the one for O(parameter).
  type: list
  elements: str
"""

from datetime import UTC, datetime

from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase
from ansible_collections.golden.images.plugins.module_utils._aws.caller import first_call
from ansible_collections.golden.images.plugins.module_utils._aws.clients import lookup_config, optional_config
from ansible_collections.golden.images.plugins.module_utils._aws.iam_actions import name_actions
from ansible_collections.golden.images.plugins.module_utils._aws.web_pages import refuse_web_pages
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._image_search import read
from ansible_collections.golden.images.plugins.module_utils._image_search.choose import choose_newest
from ansible_collections.golden.images.plugins.module_utils._image_search.options import SearchOptions
from ansible_collections.golden.images.plugins.module_utils._variables import Variable, options_of
from ansible_collections.golden.images.plugins.plugin_utils._option_forms import ReadsOptions

_OPTIONS = options_of(SearchOptions.argument_spec())


class LookupModule(ReadsOptions, AWSLookupBase):
    """A lookup that validates all terms, and then finds the image of each."""

    own_options = (*_OPTIONS, Variable("region"))

    def run(self, terms, variables=None, **kwargs):
        """Return the AMI ID for each term."""
        super().run(terms, variables, _terms=terms, **kwargs)
        try:
            given = {option.name: self.get_option(option.name) for option in _OPTIONS}
            searches = SearchOptions.read(given, check_mode=False).searches
            if not self.region:
                self.fail_aws("region: no region is set. Set it, or AWS_REGION.")
            return [self._find(search) for search in searches]
        except ValidationError as error:
            self.fail_aws(str(error))

    def _find(self, search):
        if search.parameter:
            with first_call("GetParameter"):
                search = read.resolve_parameter(self._client("ssm"), search, self.region)
        with first_call("DescribeImages"):
            ec2 = self._client("ec2")
            images = read.images(ec2, search)
        chosen = choose_newest(
            search, images, self.region, datetime.now(UTC), self._obstacle_finder(ec2, search)
        )
        for reason in chosen.skipped:
            self._display.warning(f"golden.images.ami: the result is an older image: {reason}")
        return chosen.image_id

    def _obstacle_finder(self, ec2, search):
        """Return the function that finds the reason why an image's keys permit no launch."""
        checks = self.get_option("check_key_state")
        key = read.key_reader(lambda: self._client("kms", optional_config()))
        is_own = search.owners == ("self",)

        def find_obstacle(image):
            return (
                read.key_obstacle(ec2, key, image, is_own) if checks and image.encrypted_snapshots else None
            )

        return find_obstacle

    def _client(self, service, config=None):
        client = self.client(service, config=config or lookup_config())
        refuse_web_pages(client.meta.events, client.meta.endpoint_url)
        name_actions(client.meta.events)
        return client
