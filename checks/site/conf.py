# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the site; strict, and without a network: no intersphinx mapping."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

project = "golden.images"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_title = "golden.images"
pygments_style = "ansible"
# The depth of headings that links can name.
myst_heading_anchors = 4
# A command that goes on in a next line is not what the lexer of shell sessions expects.
suppress_warnings = ["misc.highlighting_failure"]

# For `make links`: addresses of examples (RFC 2606) and of this machine.
linkcheck_ignore = [r"https?://[\w.-]*example\.(org|com|net)", r"https?://127\.0\.0\.1"]
linkcheck_timeout = 20
linkcheck_workers = 8
# Pages that are made by scripts have their anchors only in a browser.
linkcheck_anchors = False

_ANSIBLE = "https://docs.ansible.com/ansible/latest/"
# Labels of Ansible's own documentation that generated pages refer to.
_LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "ansible_variable_precedence": "playbook_guide/playbooks_variables.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "general_precedence_rules": "reference_appendices/general_precedence.html",
    "filter_plugins": "plugins/filter.html",
    "inventory_plugins": "plugins/inventory.html",
    "lookup_plugins": "plugins/lookup.html",
    "playbooks_filters": "playbook_guide/playbooks_filters.html",
}
_PLUGIN = re.compile(r"ansible_collections\.(?!golden\.images)(\w+)\.(\w+)\.(\w+)")


def external(label: str) -> str | None:
    """The address of a label of Ansible's documentation, None for any other."""
    if plugin := _PLUGIN.match(label):
        namespace, name, page = plugin.groups()
        return f"{_ANSIBLE}collections/{namespace}/{name}/{page}.html"
    return f"{_ANSIBLE}{_LABELS[label]}" if label in _LABELS else None


def _resolve(_app: Any, _env: Any, node: Any, content: Any) -> Any:
    address = external(node.get("reftarget", ""))
    return nodes.reference("", "", content, refuri=address, internal=False) if address else None


def setup(app: Any) -> None:
    """Link to Ansible's documentation."""
    app.connect("missing-reference", _resolve)
