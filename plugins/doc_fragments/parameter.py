# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameter by which accounts launch images: documents ``option_groups.ParameterOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  parameter:
    description:
      - The name of the SSM parameter by which the accounts launch the images, such as V(/golden/web), if they launch by the ARN
        of the parameter of the images' owner, C(resolve:ssm:arn:...).
      - It is read in the account of each image's owner with the resource shares of AWS RAM that have it, and by its ARN in each
        account that launches. An account without the parameter, or whose parameter names another image, reaches no higher
        level than V(visible).
      - Without it, no parameter is read.
    type: str
"""
