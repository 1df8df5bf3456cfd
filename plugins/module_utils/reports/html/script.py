# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's script: filters and search, whose state is in the URL fragment.

Without it the page shows all rows. It writes only text, no markup, and sends no requests.
"""

from __future__ import annotations

SCRIPT = """
(() => {
  'use strict';
  const form = document.getElementById('filter');
  const fields = ['q', 'severity', 'region', 'code'].map((name) => form.elements[name]);
  const status = document.getElementById('status');

  const tables = [...document.querySelectorAll('table')].map((table) => {
    const section = table.closest('section');
    return {
      rows: [...table.tBodies[0].rows],
      byRegion: table.hasAttribute('data-by-region'),
      byFinding: table.hasAttribute('data-by-finding'),
      sumsUp: table.hasAttribute('data-sums-up'),
      title: section.querySelector('h2 span').textContent,
      count: section.querySelector('.count'),
      none: section.querySelector('.none'),
      scroll: section.querySelector('.scroll'),
      columns: [...table.querySelectorAll('col')].slice(1),
      names: table.classList.contains('matrix')
        ? [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.toLowerCase()) : [],
    };
  });

  // The searchable text of a row; in the matrix its title and the columns of its marks.
  const texts = new Map();
  const textOf = (row, names) => {
    if (!texts.has(row)) {
      const marked = names.filter((name, place) => row.cells[place + 1].firstChild);
      const text = names.length ? [row.cells[0].textContent, ...marked].join(' ') : row.textContent;
      texts.set(row, text.toLowerCase());
    }
    return texts.get(row);
  };

  const hasFinding = (row, severity, code) => (row.dataset.findings || '').split(' ').some((finding) => {
    const [itsSeverity, itsCode] = finding.split(':');
    return (!severity || itsSeverity === severity) && (!code || itsCode === code);
  });

  const narrow = (table, words) => {
    const sought = words.filter((word) => table.names.some((name) => name.includes(word)));
    table.columns.forEach((column, place) => {
      const wanted = !sought.length || sought.some((word) => table.names[place].includes(word));
      column.style.visibility = wanted ? '' : 'collapse';
    });
  };

  const show = () => {
    const [q, severity, region, code] = fields.map((field) => field.value);
    const words = q.toLowerCase().split(/\\s+/).filter(Boolean);
    const counts = tables.map((table) => {
      let shown = 0;
      for (const row of table.rows) {
        const wanted = (!region || !table.byRegion || row.dataset.region === region)
          && (!(severity || code) || !table.byFinding || hasFinding(row, severity, code))
          && (table.sumsUp || words.every((word) => textOf(row, table.names).includes(word)));
        if (row.hidden === wanted) row.hidden = !wanted;
        if (wanted) shown += 1;
      }
      if (table.columns.length) narrow(table, words);
      const all = table.rows.length;
      table.count.textContent = shown === all ? `${all}` : `${shown} of ${all}`;
      table.none.hidden = shown > 0;
      table.scroll.hidden = shown === 0;
      return table.sumsUp ? '' : `${table.title}: ${table.count.textContent}`;
    }).filter(Boolean);
    status.textContent = words.length || severity || region || code
      ? `Filtered. ${counts.join(' \\u00b7 ')}` : `All rows are shown. ${counts.join(' \\u00b7 ')}`;
  };

  const read = () => {
    // A link to a section of the page does not change the filter.
    if (location.hash && !location.hash.includes('=')) return;
    const wanted = new URLSearchParams(location.hash.slice(1));
    fields.forEach((field) => {
      field.value = wanted.get(field.name) || '';
      // An unknown value does not filter.
      if (field.selectedIndex === -1) field.value = '';
    });
    show();
  };

  const write = () => {
    const set = fields.filter((field) => field.value);
    const wanted = new URLSearchParams(set.map((field) => [field.name, field.value]));
    history.replaceState(null, '', `#${wanted.size ? wanted : '='}`);
    show();
  };

  let waiting = 0;
  form.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(write, 150);
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(write));
  addEventListener('hashchange', read);

  // The tooltip of a cell names its row and its column.
  document.querySelectorAll('.matrix').forEach((matrix) => matrix.addEventListener('mouseover', (event) => {
    const cell = event.target.closest('td[title]');
    if (!cell || cell.dataset.titled) return;
    const column = matrix.tHead.rows[0].cells[cell.cellIndex].textContent.trim();
    const row = cell.parentNode.cells[0].firstElementChild.textContent.trim();
    cell.dataset.titled = 'yes';
    cell.title = `${row}\\n${column}: ${cell.title}`;
  }));

  form.parentNode.hidden = false;
  read();
})();
"""
