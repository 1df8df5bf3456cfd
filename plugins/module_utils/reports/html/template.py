# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as a Jinja2 template, in which every value except the style and the script is escaped."""

from __future__ import annotations

# Template, style and script are Python strings, because AnsiballZ packs only the .py files of module_utils.
# A module that read an HTML file from beside this one was tried with ansible-core 2.19 and 2.21:
# pkgutil.get_data raised OSError, and importlib.resources FileNotFoundError.
_MACROS = """\
{%- macro by(rows) -%}
{%- if rows | selectattr('region') | first is defined %} data-by-region{% endif -%}
{%- if rows | rejectattr('findings', 'none') | first is defined %} data-by-finding{% endif -%}
{%- endmacro -%}
{%- macro data(row) -%}
{%- if row.region is not none %} data-region="{{ row.region }}"{% endif -%}
{%- if row.findings is not none %} data-findings="{{ row.findings }}"{% endif -%}
{%- endmacro -%}
{%- macro badge(severity) -%}
<span class="badge {{ severity }}"><span aria-hidden="true">{{ severity_symbols[severity] }}</span> \
{{ severity }}</span>
{%- endmacro -%}
{%- macro link(field, value) -%}
<a href="#{{ {field: value} | urlencode }}">{{ value }}</a>
{%- endmacro -%}
{%- macro cell(value, numeric) -%}
{%- set kind = 'number' if numeric else value | wrapping -%}
<td{% if kind %} class="{{ kind }}"{% endif %}>{{ value }}</td>
{%- endmacro -%}
{%- macro heading(title, number) -%}
<h2><span>{{ title }}</span><span class="count">{{ number }}</span></h2>
{%- endmacro -%}
{%- macro left_out(sentence) -%}
{%- if sentence %}<p class="left-out">{{ sentence }}</p>{% endif -%}
{%- endmacro -%}
{%- macro nothing() -%}
<p class="none" hidden>No rows match the filter.</p>
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
<p class="kind">golden.images \u00b7 {{ page.document.kind }}</p>
<h1>{{ page.document.title }}</h1>
<p class="headline"><span class="status {{ worst }}">{{ page.document.status }}</span>\
{{ page.document.headline }}</p>
<dl class="facts">
{% for name, value in page.document.facts %}
<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
<div><dt>Written</dt><dd><time datetime="{{ page.written_at }}">{{ written }}</time></dd></div>
</dl>
<ul class="tiles" aria-label="Findings by severity">
{% for severity, number in page.counts.items() %}
<li><a class="{{ severity }}" href="#severity={{ severity }}"><b>{{ number }}</b> \
<span><span aria-hidden="true">{{ severity_symbols[severity] }}</span> {{ severity }}</span></a></li>
{% endfor %}
</ul>
<nav aria-label="Parts of the report"><ul>
{% if page.document.changes %}<li><a href="#changes">Changes</a></li>
{% endif %}
{% if page.regions %}<li><a href="#regions">Findings by region</a></li>
{% endif %}
{% if page.matrix %}<li><a href="#matrix">{{ page.matrix.matrix.title }}</a></li>
{% endif %}
{% if page.items %}<li><a href="#findings">Findings</a></li>
<li><a href="#codes">Meaning of the findings</a></li>
{% endif %}
{% for view in page.tables %}
<li><a href="#table-{{ loop.index }}">{{ view.table.title }}</a></li>
{% endfor %}
</ul></nav>
</header>
<div class="tools" hidden>
<form id="filter" role="search" autocomplete="off">
<label class="q">Search<input type="search" name="q" placeholder="name, image, account \u2026"></label>
<label>Severity<select name="severity"><option value="">all</option>
{% for severity in page.counts %}
<option>{{ severity }}</option>
{% endfor %}
</select></label>
<label>Region<select name="region"><option value="">all</option>
{% for view in page.regions | sort(attribute='region') %}
<option>{{ view.region }}</option>
{% endfor %}
</select></label>
<label>Finding<select name="code"><option value="">all</option>
{% for code in page.codes | map(attribute='code') | unique | sort %}
<option>{{ code }}</option>
{% endfor %}
</select></label>
<button type="reset">Show all</button>
<output id="status" aria-live="polite"></output>
</form>
</div>
<main id="main">
"""

_CHANGES = """\
{% set changes = page.document.changes %}
{% if changes %}
<section id="changes">
<h2>Changes since <time datetime="{{ changes.since }}">{{ since }}</time></h2>
{% if changes.added or changes.removed %}
<div class="changes">
{% for title, sentences, kind in (('New', changes.added, 'added'), ('Removed', changes.removed, 'removed')) %}
{% if sentences %}
<div class="{{ kind }}"><h3>{{ title }} ({{ sentences | length }})</h3><ul>
{% for sentence in sentences[:max_rows] %}
<li>{{ sentence }}</li>
{% endfor %}
</ul>
{% if sentences | length > max_rows %}
<p class="left-out">This page shows the first {{ max_rows }}. report.json has all.</p>
{% endif %}
</div>
{% endif %}
{% endfor %}
</div>
{% else %}
<p class="note">No listed changes.</p>
{% endif %}
</section>
{% endif %}
"""

_REGIONS = """\
{% if page.regions %}
<section id="regions">
{{ heading('Findings by region', page.regions | length) }}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="Findings by region">
<table data-by-region data-sums-up>
<caption>Findings by region</caption>
<thead><tr><th scope="col">Region</th>
{% for severity in page.counts %}
<th scope="col" class="number">{{ severity }}</th>
{% endfor %}
<th scope="col" class="number">Images</th></tr></thead>
<tbody>
{% for view in page.regions %}
<tr data-region="{{ view.region }}"><th scope="row">{{ link('region', view.region) }}</th>
{%- for severity, number in view.counts.items() %}
<td class="number">
{%- if number %}<span class="badge {{ severity }}">{{ number }}</span>{% else %}0{% endif %}</td>
{%- endfor %}
<td class="number">{{ view.images }}</td></tr>
{% endfor %}
</tbody></table></div>
</section>
{% endif %}
"""

_MATRIX = """\
{% if page.matrix %}
{% set matrix = page.matrix.matrix %}
<section id="matrix">
{{ heading(matrix.title, page.matrix.rows | length) }}
{% if matrix.note %}<p class="note">{{ matrix.note }}</p>{% endif %}
<ul class="legend" aria-label="Meaning of the marks">
{% for mark, meaning in matrix.legend.items() %}
<li class="{{ mark }}"><b>{{ symbols[mark] }}</b>{{ meaning }}</li>
{% endfor %}
</ul>
{% for sentence in page.matrix.left_out %}
{{ left_out(sentence) }}
{% endfor %}
{% if page.matrix.columns | length > paper_columns %}
<p class="left-out on-paper">Columns on the right may not be printed: search for some, or see report.csv.</p>
{% endif %}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="{{ matrix.title }}">
<table class="matrix" {{ by(page.matrix.rows | map('first') | list) }}>
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
</span></th>
{%- for mark in marks -%}
{%- if mark -%}
<td class="{{ mark }}" title="{{ matrix.legend.get(mark, mark) }}"><b>{{ symbols[mark] }}</b></td>
{%- else %}<td></td>{% endif -%}
{%- endfor %}</tr>
{% endfor %}
</tbody></table></div>
</section>
{% endif %}
"""

_FINDINGS = """\
{% if page.items %}
<section id="findings">
{{ heading('Findings', page.items | length) }}
{{ left_out(page.items_left_out) }}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="Findings">
<table class="wide" data-by-region data-by-finding>
<caption>Findings, ordered by severity</caption>
<thead><tr><th scope="col">Severity</th><th scope="col">Finding</th><th scope="col">Remedy</th>\
<th scope="col">Region</th><th scope="col">Resource</th><th scope="col">Principal</th></tr></thead>
<tbody>
{% for item in page.items %}
<tr{% if item.region %} data-region="{{ item.region }}"{% endif %} \
data-findings="{{ item.severity }}:{{ item.code }}">\
<td>{{ badge(item.severity) }}</td>\
<td class="finding">{{ item.message }} <span class="soft">{{ link('code', item.code) }}</span></td>\
<td class="finding">{{ item.remedy }}</td>\
<td class="id whole">{{ item.region }}</td>\
<td class="id {{ item.resource | wrapping }}">{{ item.resource }}\
{% if item.image_id and item.image_id != item.resource %} ({{ item.image_id }}){% endif %}</td>\
<td class="id {{ item.principal | wrapping }}">{{ item.principal }}</td></tr>
{% endfor %}
</tbody></table></div>
</section>
<section id="codes">
{{ heading('Meaning of the findings', page.codes | length) }}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="Meaning of the findings">
<table class="wide" data-by-finding data-sums-up>
<caption>Kinds of findings</caption>
<thead><tr><th scope="col">Severity</th><th scope="col">Finding</th>\
<th scope="col" class="number">Number</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{% for view in page.codes %}
<tr data-findings="{{ view.severity }}:{{ view.code }}"><td>{{ badge(view.severity) }}</td>\
<th scope="row" class="id">{{ link('code', view.code) }}</th><td class="number">{{ view.count }}</td>\
<td class="finding">{{ view.meaning }}</td></tr>
{% endfor %}
</tbody></table></div>
</section>
{% endif %}
"""

_TABLES = """\
{% for view in page.tables %}
<section id="table-{{ loop.index }}">
{{ heading(view.table.title, view.rows | length) }}
{% if view.table.note %}<p class="note">{{ view.table.note }}</p>{% endif %}
{{ left_out(view.left_out) }}
{{ nothing() }}
<div class="scroll" tabindex="0" role="region" aria-label="{{ view.table.title }}">
<table class="wide" {{ by(view.rows) }}>
<caption>{{ view.table.title }}</caption>
<thead><tr>
{%- for column in view.table.columns %}
<th scope="col"{% if column.numeric %} class="number"{% endif %}>{{ column.title }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in view.rows %}
<tr{{ data(row) }}>
{%- for column in view.table.columns -%}
{%- if column.key == 'severity' and row.values.get('severity') in severity_symbols -%}
<td>{{ badge(row.values['severity']) }}</td>
{%- else -%}
{{ cell(row.values.get(column.key), column.numeric) }}
{%- endif -%}
{%- endfor %}</tr>
{% endfor %}
</tbody></table></div>
</section>
{% endfor %}
"""

_FOOT = """\
</main>
<footer>report.csv, report.sarif and report.json in the same folder have this content for programs.</footer>
<script>{{ script | safe }}</script>
</body>
</html>
"""

PAGE = "".join((_MACROS, _HEAD, _CHANGES, _REGIONS, _MATRIX, _FINDINGS, _TABLES, _FOOT))
