/** The page at /: one document that polls the JSON API each second while it is visible. */
export const PAGE = /* HTML */ `<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Carillon sandbox</title>
      <link rel="icon" href="data:," />
      <style>
        :root {
          color-scheme: light dark;
          --ground: light-dark(#f6f5f2, #16171a);
          --card: light-dark(#ffffff, #1f2125);
          --line: light-dark(#e2dfd8, #32353b);
          --ink: light-dark(#23241f, #e8e6e1);
          --soft: light-dark(#6b6a63, #9c9a93);
          --bad: light-dark(#b3261e, #ff8a80);
          --good: light-dark(#2e6b3f, #8fd6a3);
        }
        * {
          box-sizing: border-box;
        }
        body {
          margin: 0 auto;
          max-width: 1200px;
          padding: 24px 20px 64px;
          background: var(--ground);
          color: var(--ink);
          font:
            15px/1.5 system-ui,
            sans-serif;
        }
        header {
          display: flex;
          flex-wrap: wrap;
          gap: 8px 16px;
          align-items: baseline;
          margin-bottom: 16px;
        }
        h1 {
          font-size: 22px;
          margin: 0;
        }
        h2 {
          font-size: 16px;
          margin: 0 0 8px;
        }
        #state {
          color: var(--soft);
          flex: 1;
        }
        button {
          font: inherit;
          color: inherit;
          background: var(--card);
          border: 1px solid var(--line);
          border-radius: 6px;
          padding: 3px 12px;
          cursor: pointer;
        }
        button[aria-pressed='true'] {
          border-color: currentColor;
        }
        #channels {
          display: grid;
          grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
          gap: 16px;
          margin-bottom: 24px;
        }
        .card {
          background: var(--card);
          border: 1px solid var(--line);
          border-radius: 10px;
          padding: 16px;
        }
        dl {
          display: grid;
          grid-template-columns: 1fr auto;
          margin: 0;
          gap: 2px 12px;
        }
        dt {
          color: var(--soft);
        }
        dd {
          margin: 0;
          text-align: right;
          font-variant-numeric: tabular-nums;
        }
        .fault {
          margin: 10px 0 0;
          padding-top: 8px;
          border-top: 1px solid var(--line);
          color: var(--bad);
          overflow-wrap: anywhere;
        }
        .scroll {
          overflow-x: auto;
        }
        table {
          width: 100%;
          border-collapse: collapse;
        }
        th,
        td {
          text-align: left;
          padding: 6px 10px;
          border-bottom: 1px solid var(--line);
          vertical-align: top;
        }
        th {
          color: var(--soft);
          font-weight: 500;
        }
        tbody tr {
          cursor: pointer;
        }
        tbody tr:hover,
        tbody tr:focus-visible {
          background: color-mix(in srgb, var(--ink) 6%, transparent);
          outline: none;
        }
        code,
        pre {
          font:
            13px/1.5 ui-monospace,
            monospace;
        }
        td code {
          overflow-wrap: anywhere;
        }
        .valid {
          color: var(--good);
        }
        .invalid {
          color: var(--bad);
        }
        .soft,
        .absent,
        .unchecked {
          color: var(--soft);
        }
        nav {
          display: flex;
          gap: 4px;
        }
        .fault + button {
          margin-top: 10px;
        }
        dialog {
          width: min(860px, 92vw);
          border: 1px solid var(--line);
          border-radius: 10px;
          background: var(--card);
          color: var(--ink);
        }
        pre {
          white-space: pre-wrap;
          overflow-wrap: anywhere;
        }
      </style>
    </head>
    <body>
      <header>
        <h1>Carillon sandbox</h1>
        <span id="state">loading</span>
        <nav id="filters"></nav>
        <a href="/inbox">Inbox</a>
        <button id="reset">Forget all</button>
      </header>
      <section id="channels"></section>
      <section class="card scroll">
        <table>
          <thead>
            <tr>
              <th>Time</th>
              <th>Channel</th>
              <th>To</th>
              <th>Message</th>
              <th>Notification</th>
            </tr>
          </thead>
          <tbody id="rows"></tbody>
        </table>
      </section>
      <dialog id="detail" closedby="any"><pre></pre></dialog>
      <script type="module">
        const get = async (path, options) => (await fetch(path, options)).json();
        const byId = (id) => document.getElementById(id);
        const make = (tag, text, properties = {}) => {
          const element = Object.assign(document.createElement(tag), properties);
          element.append(...[text].flat());
          return element;
        };
        const WORDS = {
          received: 'received',
          distinctNotifications: 'notifications',
          distinctDeliveries: 'deliveries',
          redelivered: 'redelivered',
          duplicates: 'duplicates',
          unidentified: 'without an id',
        };
        let filter = '';
        let newest = '';

        const describeFault = ({ kind, stage, seen, struck, ...rest }) => {
          const details = Object.entries(rest)
            .filter(([name, value]) => !(name === 'share' && value === 1) && value !== false)
            .map(([name, value]) => name + ' ' + value);
          return [
            ...(kind === 'status' ? [] : [kind]),
            ...details,
            'at ' + stage,
            'struck ' + struck + ' of ' + seen,
          ].join(', ');
        };

        const card = (channel, counts, faults) => {
          const list = make('dl', []);
          for (const [name, word] of Object.entries(WORDS)) {
            if (name === 'unidentified' && counts[name] === 0) continue;
            const bad = name === 'duplicates' && counts[name] > 0 ? 'invalid' : '';
            list.append(make('dt', word), make('dd', counts[name].toLocaleString(), { className: bad }));
          }
          const parts = [make('h2', channel), list];
          for (const fault of faults) parts.push(make('p', describeFault(fault), { className: 'fault' }));
          if (faults.length > 0) {
            const clear = () => get('/faults/' + channel, { method: 'DELETE' }).then(refresh);
            parts.push(make('button', 'Clear faults', { onclick: clear }));
          }
          return make('div', parts, { className: 'card' });
        };

        const row = (item) => {
          const show = async () => {
            byId('detail').firstChild.textContent = JSON.stringify(await get('/received/' + item.sequence), null, 2);
            byId('detail').showModal();
          };
          const title = make('div', item.title ?? '');
          if (item.signature)
            title.append(' ', make('span', 'signature ' + item.signature, { className: item.signature }));
          return make(
            'tr',
            [
              make('td', new Date(item.at).toLocaleTimeString()),
              make('td', item.channel),
              make('td', make('code', item.target)),
              make('td', [title, make('div', item.excerpt, { className: 'soft' })]),
              make('td', make('code', item.notificationId ?? '')),
            ],
            { onclick: show, onkeydown: (event) => event.key === 'Enter' && show(), tabIndex: 0 },
          );
        };

        const refresh = async () => {
          const [counts, faults] = await Promise.all([get('/counts'), get('/faults')]);
          const state = JSON.stringify([counts, faults, filter]);
          byId('state').textContent = 'live';
          if (state === newest) return;
          newest = state;
          const { data } = await get('/received?limit=50' + (filter && '&channel=' + filter));
          const channels = Object.keys(counts);
          byId('channels').replaceChildren(...channels.map((name) => card(name, counts[name], faults[name])));
          byId('rows').replaceChildren(...data.map(row));
          byId('filters').replaceChildren(
            ...['', ...channels].map((name) => {
              const button = make('button', name || 'all', { onclick: () => ((filter = name), refresh()) });
              button.setAttribute('aria-pressed', name === filter);
              return button;
            }),
          );
        };

        const poll = async () => {
          if (!document.hidden) await refresh().catch(() => (byId('state').textContent = 'sandbox does not answer'));
          setTimeout(poll, 1000);
        };
        byId('reset').onclick = () => get('/received', { method: 'DELETE' }).then(refresh);
        poll();
      </script>
    </body>
  </html>`;
