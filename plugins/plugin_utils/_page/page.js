// Filters and search, whose state is in the URL fragment. Without this script the page shows all rows.
// It writes only text, no markup, and sends no requests. Commands are copied, and never run.
(() => {
  'use strict';
  const form = document.getElementById('filter');
  const fields = ['q', 'severity', 'region', 'code'].map((name) => form.elements[name]);
  const status = document.getElementById('status');
  const unfold = document.getElementById('unfold');
  const folded = [...document.querySelectorAll('details')];

  const tableOf = (table) => ({
    table,
    rows: [...table.tBodies[0].rows],
    byRegion: table.querySelector('tbody [data-region]') !== null,
    byFinding: table.querySelector('tbody [data-findings]') !== null,
    columns: [...table.querySelectorAll('col')].slice(1),
    heads: [...table.tHead.rows[0].cells].slice(1),
    names: table.classList.contains('matrix')
      ? [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.toLowerCase()) : [],
  });
  const parts = [...document.querySelectorAll('.part')].filter((part) => part.querySelector('table'))
    .map((part) => ({
      part,
      sumsUp: part.classList.contains('sums-up'),
      title: part.querySelector('h2 span').textContent,
      count: part.querySelector('.count'),
      more: part.querySelector('.more'),
      none: part.querySelector('.none'),
      scroll: part.querySelector('.scroll'),
      ...tableOf(part.querySelector('table')),
    }));
  const lists = [...document.querySelectorAll('.groups')].map((list) => ({
    title: list.querySelector('h2 span').textContent,
    count: list.querySelector('.count'),
    more: list.querySelector('.more'),
    none: list.querySelector('.none'),
    groups: [...list.querySelectorAll('.group')].map((group) => ({
      group,
      findings: group.dataset.findings,
      text: [...group.querySelectorAll('summary, dl')].map((one) => one.textContent).join(' ').toLowerCase(),
      ...(group.querySelector('table') ? tableOf(group.querySelector('table')) : {rows: []}),
    })),
  }));
  // The kinds of changes: each is a list of sentences.
  const changes = [...document.querySelectorAll('.changes > div')].map((kind) => ({
    kind, more: kind.querySelector('.more'), sentences: [...kind.querySelectorAll('li')],
  }));
  const regions = new Set([...form.elements.region.options].map((one) => one.value).filter(Boolean));
  // The title of a box begins with its row and its column, of which one can be a region.
  const pictures = [...document.querySelectorAll('.picture')].map((picture) => (
    [...picture.querySelectorAll('rect.box')].map((box) => {
      const title = box.firstChild.textContent;
      const itsRegion = [...regions]
        .find((one) => title.startsWith(`${one}, `) || title.includes(`, ${one}: `));
      return {box, itsRegion, text: title.toLowerCase()};
    })
  ));

  // The cells of a matrix row, each with its place: one cell can span several empty places.
  const placed = (row) => {
    let next = 0;
    return [...row.cells].map((cell) => {
      const place = next;
      next += cell.colSpan;
      return {cell, place};
    });
  };

  // The searchable text of a row; in the matrix its title and the columns of its marks.
  const texts = new Map();
  const textOf = (row, names) => {
    if (!texts.has(row)) {
      const marked = () => placed(row).slice(1).filter(({cell}) => cell.firstChild)
        .map(({place}) => names[place - 1]);
      const text = names.length ? [row.cells[0].textContent, ...marked()].join(' ')
        : [...row.cells].map((cell) => cell.textContent).join(' ');
      texts.set(row, text.toLowerCase());
    }
    return texts.get(row);
  };

  const hasFinding = (findings, severity, code) => (findings || '').split(' ').some((finding) => {
    const [itsSeverity, itsCode] = finding.split(':');
    return (!severity || itsSeverity === severity) && (!code || itsCode === code);
  });

  // What is about no region is shown for each.
  const fitsChange = (sentence, wants) => {
    const {region, findings} = sentence.dataset;
    const text = sentence.textContent.toLowerCase();
    return (!wants.region || !region || region === wants.region)
      && (!(wants.severity || wants.code) || hasFinding(findings, wants.severity, wants.code))
      && wants.words.every((word) => text.includes(word));
  };

  const filterChanges = (wants, filtered) => {
    let shown = 0;
    let all = 0;
    for (const {kind, more, sentences} of changes) {
      sentences.forEach((sentence) => { sentence.hidden = !fitsChange(sentence, wants); });
      const left = sentences.filter((sentence) => !sentence.hidden).length;
      kind.hidden = left === 0;
      showMore(more, left);
      shown += left;
      all += sentences.length;
    }
    const part = document.getElementById('changes');
    part.querySelector('.none').hidden = shown > 0;
    openFew(part, shown, filtered);
    return `Changes: ${shown === all ? all : `${shown} of ${all}`}`;
  };

  const narrow = (table, words) => {
    const sought = words.filter((word) => table.names.some((name) => name.includes(word)));
    const isWanted = (name) => !sought.length || sought.some((word) => name.includes(word));
    const number = table.names.filter(isWanted).length;
    // The frame, too: it is as wide as the table was before.
    table.scroll.style.width = sought.length ? `calc(var(--first) + ${number} * 1.7rem + 1.2rem)` : '';
    table.columns.forEach((column, place) => {
      const wanted = isWanted(table.names[place]);
      column.style.visibility = wanted ? '' : 'collapse';
      // Browsers collapse the column, and still draw the text at its head.
      table.heads[place].style.visibility = wanted ? '' : 'hidden';
    });
  };

  const filterRows = (table, wants, context) => {
    let shown = 0;
    for (const row of table.rows) {
      const wanted = (!wants.region || !table.byRegion || row.dataset.region === wants.region)
        && (!(wants.severity || wants.code) || !table.byFinding
          || hasFinding(row.dataset.findings, wants.severity, wants.code))
        && (table.sumsUp
          || wants.words.every((word) => context.includes(word) || textOf(row, table.names).includes(word)));
      if (row.hidden === wanted) row.hidden = !wanted;
      if (wanted) shown += 1;
    }
    return shown;
  };

  // How many more there are than are printed.
  const showMore = (more, shown) => {
    if (!more) return;
    more.hidden = shown <= more.dataset.most;
    more.firstElementChild.textContent = shown - more.dataset.most;
  };

  const showCount = (one, shown) => {
    showMore(one.more, shown);
    const total = Number(one.count.dataset.total);
    const numbers = [...new Set([shown, total])].map((number) => number.toLocaleString('en'));
    one.count.textContent = numbers.join(' of ');
    one.none.hidden = shown > 0;
    return `${one.title}: ${one.count.textContent}`;
  };

  // A part that a filter leaves a few rows of is opened, and closed again without the filter.
  const opened = new Set();
  const openFew = (details, shown, filtered) => {
    if (filtered && shown > 0 && shown <= 50 && !details.open) {
      details.open = true;
      opened.add(details);
    } else if (opened.has(details) && (!filtered || shown === 0 || shown > 50)) {
      details.open = false;
      opened.delete(details);
    }
  };

  const showGroup = (one, wants, filtered) => {
    const fits = !one.findings || !(wants.severity || wants.code)
      || hasFinding(one.findings, wants.severity, wants.code);
    const shown = fits ? filterRows(one, wants, one.text) : 0;
    const wanted = one.rows.length ? shown > 0
      : fits && wants.words.every((word) => one.text.includes(word));
    one.group.hidden = !wanted;
    openFew(one.group, shown, filtered && wanted && (wants.region || wants.words.length));
    return wanted;
  };

  // A picture without regions, or in which nothing has the words, would look as if there were nothing.
  const dimOthers = (boxes, {words, region}) => {
    const byRegion = region && boxes.some(({itsRegion}) => itsRegion);
    const hasWords = ({text}) => words.every((word) => text.includes(word));
    const byWords = boxes.some(hasWords);
    for (const one of boxes) {
      const wanted = (!byRegion || one.itsRegion === region) && (!byWords || hasWords(one));
      one.box.classList.toggle('dim', !wanted);
    }
  };

  const show = () => {
    const [q, severity, region, code] = fields.map((field) => field.value);
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const wants = {words, severity, region, code};
    const filtered = Boolean(words.length || severity || region || code);
    const counts = lists.map((list) => {
      const shown = list.groups.filter((group) => showGroup(group, wants, filtered)).length;
      return showCount(list, shown);
    });
    if (changes.length) counts.push(filterChanges(wants, filtered));
    for (const part of parts) {
      const shown = filterRows(part, wants, '');
      if (part.columns.length) narrow(part, words);
      const text = showCount(part, shown);
      part.scroll.hidden = shown === 0;
      if (!part.sumsUp) {
        openFew(part.part, shown, filtered);
        counts.push(text);
      }
    }
    pictures.forEach((boxes) => dimOthers(boxes, wants));
    status.textContent = filtered ? `Filtered. ${counts.join(' \u00b7 ')}` : '';
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
  unfold.addEventListener('click', () => {
    const open = folded.some((one) => !one.open);
    folded.forEach((one) => { one.open = open; });
    opened.clear();
    document.body.classList.toggle('all', open);
    unfold.textContent = open ? 'Close all' : 'Open all';
  });

  // Browsers have the clipboard only on pages from a file or by HTTPS: elsewhere, the command is selected.
  const copy = (command) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(command.textContent);
    getSelection().selectAllChildren(command);
    return document.execCommand('copy') ? Promise.resolve() : Promise.reject();
  };

  document.querySelectorAll('button.copy').forEach((button) => {
    const command = button.parentNode.querySelector('pre');
    button.hidden = false;
    button.addEventListener('click', () => {
      copy(command).then(() => { button.textContent = 'Copied'; }, () => {
        getSelection().selectAllChildren(command);
        button.textContent = 'Selected: press Ctrl+C';
      });
    });
  });

  // The tooltip of a cell names its row and its column.
  document.querySelectorAll('.matrix').forEach((matrix) => matrix.addEventListener('mouseover', (event) => {
    const cell = event.target.closest('td[title]');
    if (!cell || cell.dataset.titled) return;
    const {place} = placed(cell.parentNode).find((one) => one.cell === cell);
    const column = matrix.tHead.rows[0].cells[place].textContent.trim();
    const row = cell.parentNode.cells[0].firstElementChild.textContent.trim();
    cell.dataset.titled = 'yes';
    cell.title = `${row}\n${column}: ${cell.title}`;
  }));

  form.parentNode.hidden = false;
  read();
})();
