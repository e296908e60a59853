/** The page at /inbox: what a service's own page does with the inbox of its user. Needs the gateway on the same host. */
export const INBOX_PAGE = /* HTML */ `<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Carillon inbox</title>
      <link rel="icon" href="data:," />
      <style>
        :root {
          color-scheme: light dark;
        }
        body {
          margin: 2rem auto;
          max-width: 42rem;
          padding: 0 1rem;
          font:
            15px/1.5 system-ui,
            sans-serif;
        }
        li {
          list-style: none;
          border: 1px solid color-mix(in srgb, currentColor 20%, transparent);
          border-radius: 8px;
          padding: 0.6rem 1rem;
          margin: 0.5rem 0;
        }
        ul {
          padding: 0;
        }
        .unread {
          border-left: 4px solid #2e6b3f;
        }
        small {
          opacity: 0.7;
        }
        button,
        input {
          font: inherit;
        }
      </style>
    </head>
    <body>
      <h1>Inbox <span id="count"></span></h1>
      <form id="login">
        <input name="serviceName" value="diabetes" aria-label="service" />
        <input name="userId" value="demo-ada" aria-label="user" />
        <button>Open</button>
        <button type="button" id="read-all">Mark all as read</button>
      </form>
      <p id="state" role="status">not open</p>
      <ul id="items" aria-live="polite"></ul>
      <script type="module">
        const byId = (id) => document.getElementById(id);
        const state = (text) => (byId('state').textContent = text);
        const items = new Map();
        let api = '';
        let source = null;

        const call = async (method, path, body) => {
          const response = await fetch(api + '/api/inbox' + path, {
            method,
            credentials: 'include',
            ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
          });
          if (!response.ok) state((await response.json()).detail);
          return response.status === 200 ? response.json() : null;
        };
        const button = (text, onclick) =>
          Object.assign(document.createElement('button'), { textContent: text, onclick });
        const draw = () => {
          const shown = [...items.values()].filter((item) => !item.removed);
          shown.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
          byId('count').textContent = '(' + shown.filter((item) => item.readAt === null).length + ')';
          byId('items').replaceChildren(
            ...shown.map((item) => {
              const row = document.createElement('li');
              row.className = item.readAt === null ? 'unread' : '';
              const title = document.createElement('strong');
              title.textContent = item.title ?? '';
              const time = document.createElement('small');
              time.textContent = new Date(item.createdAt).toLocaleString();
              const text = document.createElement('div');
              text.textContent = item.body;
              const path = '/' + item.id;
              row.append(
                title,
                ' ',
                time,
                text,
                item.readAt === null
                  ? button('Read', () => call('POST', path + '/read'))
                  : button('Unread', () => call('POST', path + '/unread')),
                ' ',
                button('Delete', () => call('DELETE', path)),
              );
              return row;
            }),
          );
        };
        /** Events may come again: only what is newer counts. */
        const apply = (item) => {
          if ((items.get(item.id)?.version ?? 0) < item.version) items.set(item.id, item);
          draw();
        };
        const listen = () => {
          source?.close();
          source = new EventSource(api + '/api/inbox/stream', { withCredentials: true });
          source.addEventListener('ready', async ({ data }) => {
            state('live');
            if (JSON.parse(data).resumed) return;
            const page = await call('GET', '?limit=100');
            items.clear();
            for (const item of page?.data ?? []) apply(item);
            draw();
          });
          source.addEventListener('item', ({ data }) => apply(JSON.parse(data)));
          source.addEventListener('removed', ({ data }) => apply({ ...JSON.parse(data), removed: true }));
          source.addEventListener('end', ({ data }) => {
            if (JSON.parse(data).reason === 'token_expired') void open();
          });
          source.onerror = () => state(source.readyState === EventSource.CLOSED ? 'closed' : 'connecting again');
        };
        const open = async () => {
          const response = await fetch('/inbox/session', {
            method: 'POST',
            body: JSON.stringify(Object.fromEntries(new FormData(byId('login')))),
          });
          const answer = await response.json();
          if (!response.ok) return state(answer.error);
          api = answer.api;
          listen();
        };
        byId('login').onsubmit = (event) => {
          event.preventDefault();
          void open();
        };
        byId('read-all').onclick = () => call('POST', '/read-all');
        void open();
      </script>
    </body>
  </html>`;
