import { randomBytes } from 'node:crypto';

/** A virtual host of its own for each spec, on the server of RABBITMQ_URI and RABBITMQ_MANAGEMENT_URI. */
export interface TestVhost {
  /** amqp:// of the server's own user, in this virtual host. */
  readonly uri: string;
  /** A new user with all rights here. @returns its name, and its amqp:// */
  addUser(): Promise<{ user: string; uri: string }>;
  /** Arguments of queues by their names. */
  queues(): Promise<Map<string, Record<string, unknown>>>;
  /** Has the broker close every connection here, with a close frame. Waits until there is one to close. */
  closeConnections(): Promise<void>;
  /** All that is in it is gone, queues and exchanges too; connections are closed. Users keep their rights. */
  lose(): Promise<void>;
  drop(): Promise<void>;
}

const required = (name: string): URL => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is required: eval "$(scripts/infra.sh env)"`);
  return new URL(value);
};

const callManagement = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const uri = required('RABBITMQ_MANAGEMENT_URI');
  const credentials = `${decodeURIComponent(uri.username)}:${decodeURIComponent(uri.password)}`;
  const response = await fetch(new URL(`/api/${path}`, uri.origin), {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`RabbitMQ management answered ${response.status} to ${method} ${path}: ${text}`);
  return text === '' ? null : JSON.parse(text);
};

export const createVhost = async (): Promise<TestVhost> => {
  const vhost = `test-${randomBytes(6).toString('hex')}`;
  const own = required('RABBITMQ_URI');
  own.pathname = `/${vhost}`;
  const users: string[] = [];
  const allow = (user: string): Promise<unknown> =>
    callManagement('PUT', `permissions/${vhost}/${encodeURIComponent(user)}`, {
      configure: '.*',
      write: '.*',
      read: '.*',
    });

  const make = async (): Promise<void> => {
    await callManagement('PUT', `vhosts/${vhost}`);
    for (const user of [decodeURIComponent(own.username), ...users]) await allow(user);
  };

  await make();
  return {
    uri: own.href,
    async addUser() {
      const user = `user-${randomBytes(6).toString('hex')}`;
      const password = randomBytes(12).toString('hex');
      await callManagement('PUT', `users/${user}`, { password, tags: '' });
      users.push(user);
      await allow(user);
      const uri = new URL(own);
      uri.username = user;
      uri.password = password;
      return { user, uri: uri.href };
    },
    async queues() {
      const queues = (await callManagement('GET', `queues/${vhost}`)) as {
        name: string;
        arguments: Record<string, unknown>;
      }[];
      return new Map(queues.map((queue) => [queue.name, queue.arguments]));
    },
    async closeConnections() {
      // The list is filled by events, a moment after a connection is up.
      for (;;) {
        const all = (await callManagement('GET', 'connections')) as { name: string; vhost?: string }[];
        const ours = all.filter((connection) => connection.vhost === vhost);
        for (const { name } of ours) await callManagement('DELETE', `connections/${encodeURIComponent(name)}`);
        if (ours.length > 0) return;
      }
    },
    async lose() {
      await callManagement('DELETE', `vhosts/${vhost}`);
      await make();
    },
    async drop() {
      await callManagement('DELETE', `vhosts/${vhost}`);
      for (const user of users) await callManagement('DELETE', `users/${user}`);
    },
  };
};
