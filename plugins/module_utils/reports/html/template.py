# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as a Jinja2 template, in which every value except the style and the script is escaped."""

from __future__ import annotations

# Template, style and script are Python strings, because AnsiballZ packs only the .py files of module_utils.
# A module that read an HTML file from beside this one was tried with ansible-core 2.19 and 2.21:
# pkgutil.get_data raised OSError, and importlib.resources FileNotFoundError.
_MACROS = """\
{%- macro data(row) -%}
{%- if row.region is not none %} data-region="{{ row.region }}"{% endif -%}
{%- if row.findings is not none %} data-findings="{{ row.findings }}"{% endif -%}
{%- endmacro -%}
{%- macro badge(label, tone) -%}
<span class="badge {{ tone }}">{% if tone in severity_symbols %}\
<span aria-hidden="true">{{ severity_symbols[tone] }}</span> {% endif %}{{ label }}</span>
{%- endmacro -%}
{%- macro cell(value, numeric) -%}
{%- set kind = 'number' if numeric else value | wrapping -%}
<td{% if kind %} class="{{ kind }}"{% endif %}>{{ value }}</td>
{%- endmacro -%}
{%- macro heading(title, number, total=none) -%}
<h2><span>{{ title }}</span>\
{% if number is not none %} <span class="count" data-total="{{ total or number }}">\
{{ '{:,}'.format(number) }}{% if total and total > number %} of {{ '{:,}'.format(total) }}{% endif %}\
</span>{% endif %}</h2>
{%- endmacro -%}
{%- macro left_out(sentence) -%}
{%- if sentence %}<p class="left-out">{{ sentence }}</p>{% endif -%}
{%- endmacro -%}
{%- macro more(number, most) -%}
<p class="left-out more" data-most="{{ most }}"{% if number <= most %} hidden{% endif %}>\
Not printed: <span>{{ number - most }}</span> more. To print them, press \u201cOpen all\u201d first.</p>
{%- endmacro -%}
{%- macro nothing() -%}
<p class="none" hidden>No rows match the filter.</p>
{%- endmacro -%}
{%- macro table(columns, rows, caption) -%}
<div class="scroll" tabindex="0" role="region" aria-label="{{ caption }}">
<table class="wide">
<caption>{{ caption }}</caption>
<thead><tr>
{%- for column in columns %}
<th scope="col"{% if column.numeric %} class="number"{% endif %}>{{ column.title }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr{{ data(row) }}>
{%- for column in columns -%}
{%- if column.key == 'severity' and row.values.get('severity') in severity_symbols -%}
<td>{{ badge(row.values['severity'], row.values['severity']) }}</td>
{%- else -%}
{{ cell(row.values.get(column.key), column.numeric) }}
{%- endif -%}
{%- endfor %}</tr>
{% endfor %}
</tbody></table></div>
{%- endmacro -%}
{%- macro legend(marks, with_symbols) -%}
{% if marks %}
<ul class="legend" aria-label="Meaning of the colors">
{% for mark, meaning in marks.items() %}
<li class="{{ mark }}"><b aria-hidden="true">{{ symbols[mark] if with_symbols }}</b>{{ meaning }}</li>
{% endfor %}
</ul>
{% endif %}
{%- endmacro -%}
{%- macro group_list(id, title, groups) -%}
<section id="{{ id }}" class="groups">
{{ heading(title, groups | length) }}
{{ nothing() }}
{% for view in groups %}
{% set group = view.group %}
<details class="group"{% if id == 'findings' %} data-findings="{{ group.tone }}:{{ group.code }}"{% endif %}>
<summary>{{ badge(group.label, group.tone) }} <span class="sentence">{{ group.title }}</span></summary>
<dl>
{% for name, text in group.notes %}
<div><dt>{{ name }}</dt><dd>{{ text }}</dd></div>
{% endfor %}
{% if group.code %}
{% set address = address_of(group.code) %}
<div><dt>Code</dt><dd class="id">{% if address %}\
<a href="{{ address }}" rel="noreferrer">{{ group.code }}</a>{% else %}{{ group.code }}{% endif %}</dd></div>
{% endif %}
</dl>
{{ left_out(view.left_out) }}
{% if group.columns %}
{{ table(group.columns, view.rows, group.title) }}
{% endif %}
</details>
{% endfor %}
{{ more(groups | length, page.paper.groups) }}
</section>
{%- endmacro -%}
{%- macro svg(drawing, style) -%}
{% set across = '%' if drawing.fluid else '' %}
<svg role="img"{% if style %} class="{{ style }}"{% endif %} aria-label="{{ drawing.title }}" \
{% if drawing.fluid %}
width="100%" height="{{ drawing.height }}">
{% else %}
width="{{ drawing.width }}" height="{{ drawing.height }}" \
viewBox="0 0 {{ drawing.width }} {{ drawing.height }}">
{% endif %}
{% for shape in drawing.shapes %}
{% if shape.kind == 'rect' %}
<rect class="{{ shape.style }}" x="{{ shape.x | round(1) }}{{ across }}" y="{{ shape.y | round(1) }}" \
width="{{ shape.width | round(1) }}{{ across }}" height="{{ shape.height | round(1) }}">\
<title>{{ shape.title }}</title></rect>
{% elif shape.kind == 'line' %}
<line class="{{ shape.style }}" x1="{{ shape.x | round(1) }}" y1="{{ shape.y | round(1) }}" \
x2="{{ shape.width | round(1) }}" y2="{{ shape.height | round(1) }}"></line>
{% else %}
<text class="{{ shape.style }}" x="{{ shape.x | round(1) }}{{ across }}" y="{{ shape.y | round(1) }}">\
{{ shape.text }}\
{% if shape.title %}<title>{{ shape.title }}</title>{% endif %}</text>
{% endif %}
{% endfor %}
</svg>
{%- endmacro -%}
"""

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ page.document.title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header class="top">
<h1>{{ page.document.title }}</h1>
<p class="headline"><span class="status {{ worst }}">{{ page.document.status }}</span>\
{{ page.document.headline }}</p>
<dl class="facts">
{% for name, value in page.document.facts %}
<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
<div><dt>Written</dt><dd><time datetime="{{ page.written_at }}">{{ written }}</time></dd></div>
{% for severity, number in page.counts.items() %}
<div><dt>Severity {{ severity }}</dt><dd><a href="#severity={{ severity }}">\
{{ badge('{:,}'.format(number), severity) }}</a></dd></div>
{% endfor %}
</dl>
</header>
<div class="tools" hidden>
<form id="filter" role="search" autocomplete="off">
<label class="q">Search<input type="search" name="q" placeholder="name, image, account \u2026"></label>
<label{% if not page.counts %} hidden{% endif %}>Severity<select name="severity"><option value="">all</option>
{% for severity in page.counts %}
<option>{{ severity }}</option>
{% endfor %}
</select></label>
<label{% if page.region_names | length < 2 %} hidden{% endif %}>Region\
<select name="region"><option value="">all</option>
{% for region in page.region_names %}
<option>{{ region }}</option>
{% endfor %}
</select></label>
<label{% if not page.groups %} hidden{% endif %}>Finding<select name="code"><option value="">all</option>
{% for code in page.groups | map(attribute='group.code') | unique | sort %}
<option>{{ code }}</option>
{% endfor %}
</select></label>
<button type="reset">Clear</button>
<button type="button" id="unfold">Open all</button>
<output id="status" aria-live="polite"></output>
</form>
</div>
<main id="main">
"""

_GROUPS = """\
{% if page.groups and not page.document.complete %}
{{ group_list('findings', 'Findings by cause', page.groups) }}
{% endif %}
{% if page.actions %}
{{ group_list('actions', page.document.actions_title, page.actions) }}
{% endif %}
{% if page.groups and page.document.complete %}
{{ group_list('findings', 'Findings by cause', page.groups) }}
{% endif %}
"""

_PICTURES = """\
{% for view in page.pictures %}
{% set drawing = view.drawing %}
<section id="picture-{{ loop.index }}" class="picture">
{{ heading(drawing.title, none) }}
{% if view.note %}<p class="note">{{ view.note }}</p>
{% endif %}
{{ left_out(view.left_out) }}
{{ legend(view.legend, false) }}
<div class="scroll{% if drawing.fluid %} fluid{% endif %}" tabindex="0" role="region" \
aria-label="{{ drawing.title }}">
{{ svg(drawing, '') }}
{% if view.on_paper %}{{ svg(view.on_paper, 'on-paper') }}{% endif %}
</div>
{{ more(view.rows, page.paper.picture_rows) }}
</section>
{% endfor %}
"""

_CHANGES = """\
{% set changes = page.document.changes %}
{% if changes and (changes.added or changes.removed) %}
<details id="changes" class="part"\
{% if changes.added | length + changes.removed | length <= max_open_changes %} open{% endif %}>
<summary><h2>Changes since <time datetime="{{ changes.since }}">{{ since }}</time>: \
{% if changes.added %}{{ changes.added | length }} new{% endif %}\
{% if changes.added and changes.removed %}, {% endif %}\
{% if changes.removed %}{{ changes.removed | length }} removed{% endif %}</h2></summary>
<p class="none" hidden>No changes match the filter.</p>
<div class="changes">
{% for view in page.changes %}
<div class="{{ view.style }}"><h3>{{ view.title }} ({{ view.number }})</h3><ul>
{% for row in view.sentences %}
<li{{ data(row) }}>{{ row.values['sentence'] }}</li>
{% endfor %}
</ul>
{{ more(view.number, page.paper.changes) }}
{% if view.number > view.sentences | length %}
<p class="left-out">This page shows the first {{ view.sentences | length }}. The JSON file has all.</p>
{% endif %}
</div>
{% endfor %}
</div>
</details>
{% elif changes %}
<p class="no-changes">No changes since <time datetime="{{ changes.since }}">{{ since }}</time>.</p>
{% endif %}
"""

_MATRIX = """\
{% if page.matrix %}
{% set matrix = page.matrix.matrix %}
<details id="matrix" class="part"{% if page.matrix.rows | length <= max_open_rows %} open{% endif %}>
<summary>{{ heading(matrix.title, page.matrix.rows | length, page.matrix.number) }}</summary>
{% if matrix.note %}<p class="note">{{ matrix.note }}</p>{% endif %}
{{ legend(matrix.legend, true) }}
{% for sentence in page.matrix.left_out %}
{{ left_out(sentence) }}
{% endfor %}
{% if page.matrix.columns | length > paper_columns %}
<p class="left-out on-paper">Columns on the right may not be printed: search for some, or use the CSV.</p>
{% endif %}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="{{ matrix.title }}">
<table class="matrix">
<caption>{{ matrix.title }}</caption>
<colgroup><col>{% for column in page.matrix.columns %}<col>{% endfor %}</colgroup>
<thead><tr><th scope="col">{{ head.title }}<span class="soft">\
{{ labels | map(attribute='title') | join(' \u00b7 ') }}</span></th>
{%- for column in page.matrix.columns %}
<th scope="col" title="{{ column }}"><span>{{ column }}</span></th>
{%- endfor %}</tr></thead>
<tbody>
{% for row, marks in page.matrix.rows %}
<tr{{ data(row) }}><th scope="row"><span>{{ row.values.get(head.key) }}</span><span class="soft">\
{% for label in labels %}{{ ' \u00b7 ' if not loop.first }}{{ row.values.get(label.key) }}{% endfor %}\
</span></th>{{ marks | marked(matrix.legend) }}</tr>
{% endfor %}
</tbody></table></div>
{{ more(page.matrix.rows | length, page.paper.matrix_rows) }}
</details>
{% endif %}
"""

_TABLES = """\
{% if page.regions %}
<details id="regions" class="part sums-up">
<summary>{{ heading(page.regions.table.title, page.regions.rows | length) }}</summary>
{{ nothing() }}
{{ table(page.regions.table.columns, page.regions.rows, page.regions.table.title) }}
</details>
{% endif %}
{% for view in page.tables %}
<details id="table-{{ loop.index }}" class="part">
<summary>{{ heading(view.table.title, view.rows | length, view.number) }}</summary>
{% if view.table.note %}<p class="note">{{ view.table.note }}</p>{% endif %}
{{ left_out(view.left_out) }}
{{ nothing() }}
{{ table(view.table.columns, view.rows, view.table.title) }}
</details>
{% endfor %}
"""

_FOOT = """\
</main>
<footer>Written by golden.images. The CSV, SARIF and JSON files of this name in the same directory have this \
content for programs. Only open parts are printed, and of long lists the first entries. To print all that \
this page shows, press \u201cOpen all\u201d first.</footer>
<script>{{ script | safe }}</script>
</body>
</html>
"""

PAGE = "".join((_MACROS, _HEAD, _GROUPS, _PICTURES, _CHANGES, _MATRIX, _TABLES, _FOOT))
