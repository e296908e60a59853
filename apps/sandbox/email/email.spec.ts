import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { type SandboxClient, startSandboxClient } from '../client.js';

let sandbox: SandboxClient;

interface Options {
  pass?: string;
  anonymous?: boolean;
  port?: number;
}

/** One message on a connection of its own, over verified STARTTLS. */
const send = async (
  deliveryId: string,
  { pass = 'carillon', anonymous = false, port }: Options = {},
): Promise<string> => {
  const transport = createTransport({
    host: '127.0.0.1',
    port: port ?? sandbox.smtpPort,
    requireTLS: true,
    tls: { ca: sandbox.smtpCertificate },
    ...(!anonymous && { auth: { user: 'carillon', pass } }),
  });
  try {
    const { response } = await transport.sendMail({
      from: 'Carillon <bells@example.org>',
      to: 'Ana <ana@example.org>',
      subject: 'Liều insulin: 8 giờ',
      text: 'Đã đến giờ tiêm.\n.one dot\n'.repeat(20),
      html: '<p>Đã đến giờ tiêm.</p>',
      messageId: `<${deliveryId}@carillon.example.org>`,
      headers: { 'X-Carillon-Notification': deliveryId.replace(/-\d+$/, '') },
    });
    return response;
  } finally {
    transport.close();
  }
};
/** The SMTP status, or else nodemailer's code, of an error. */
const failure = (sent: Promise<unknown>): Promise<unknown> =>
  sent.then(
    () => 'sent',
    (error: { responseCode?: number; code?: string }) => error.responseCode ?? error.code,
  );
const setFaults = (...faults: object[]): Promise<unknown> =>
  sandbox.call('/faults/email', { method: 'PUT', body: faults });
const received = async (): Promise<unknown> =>
  ((await sandbox.call('/counts')) as { email: { received: number } }).email.received;

beforeAll(async () => {
  sandbox = await startSandboxClient();
});
afterEach(async () => {
  await sandbox.call('/faults/email', { method: 'DELETE' });
  await sandbox.call('/received', { method: 'DELETE' });
});
afterAll(() => sandbox.close());

describe('SMTP', () => {
  it('takes mail over STARTTLS with a login, and reads it when asked', async () => {
    expect(await send('n1-1')).toMatch(/^250 OK: queued as /);
    const { data } = (await sandbox.call('/received')) as { data: { sequence: number }[] };
    expect(data).toEqual([
      {
        sequence: expect.any(Number),
        channel: 'email',
        at: expect.any(String),
        id: expect.any(String),
        deliveryId: 'n1-1',
        notificationId: 'n1',
        target: 'ana@example.org',
        signature: null,
        title: 'Liều insulin: 8 giờ',
        excerpt: expect.stringMatching(/^Đã đến giờ tiêm\.\n\.one dot\n/),
      },
    ]);
    expect(await sandbox.call(`/received/${data[0]?.sequence}`)).toMatchObject({
      headers: { 'x-carillon-notification': 'n1' },
      content: { from: '"Carillon" <bells@example.org>', html: '<p>Đã đến giờ tiêm.</p>' },
    });
    expect(await send('n1-1')).toMatch(/^250/);
    expect(await sandbox.call('/counts')).toMatchObject({
      email: { received: 2, distinctDeliveries: 1, redelivered: 1 },
    });
  });

  it('refuses a wrong password, and takes mail without one', async () => {
    expect(await failure(send('n1-1', { pass: 'wrong' }))).toBe(535);
    expect(await failure(send('n1-1', { anonymous: true }))).toBe('sent');
  });

  it('can insist on a login', async () => {
    const strict = await startSandboxClient({ SANDBOX_SMTP_REQUIRE_AUTH: 'true' });
    try {
      const port = strict.smtpPort;
      const transport = createTransport({ host: '127.0.0.1', port, tls: { ca: strict.smtpCertificate } });
      const mail = { from: 'a@example.org', to: 'b@example.org', text: 'x' };
      expect(await failure(transport.sendMail(mail))).toBe(530);
      transport.close();
    } finally {
      await strict.close();
    }
  });

  it.each([
    ['recipient', 421],
    ['recipient', 450],
    ['recipient', 550],
    ['data', 451],
    ['data', 554],
    ['auth', 454],
    ['connect', 421],
  ])('refuses at %s with %i', async (stage, status) => {
    await setFaults({ kind: 'status', stage, status, count: 1 });
    expect(await failure(send('n1-1'))).toBe(status);
    expect(await received()).toBe(0);
    expect(await failure(send('n1-1'))).toBe('sent');
  });

  it('strikes only the addresses that match', async () => {
    await setFaults({ kind: 'status', status: 550, match: 'boris@' });
    expect(await failure(send('n1-1'))).toBe('sent');
  });

  it('resets without recording', async () => {
    await setFaults({ kind: 'reset' });
    expect(await failure(send('n1-1'))).toBe('ESOCKET');
    expect(await received()).toBe(0);
  });

  it('records, then drops', async () => {
    await setFaults({ kind: 'drop' });
    expect(await failure(send('n1-1'))).toBe('ECONNECTION');
    expect(await received()).toBe(1);
  });

  it('answers late', async () => {
    await setFaults({ kind: 'latency', latencyMs: 1 });
    expect(await failure(send('n1-1'))).toBe('sent');
  });

  it('hangs until it closes, recorded if asked to', async () => {
    const other = await startSandboxClient();
    const own = sandbox;
    sandbox = other;
    try {
      await setFaults({ kind: 'hang', recorded: true, match: 'ana' });
      const sent = failure(send('n1-1'));
      expect(await sandbox.call('/wait?channel=email&count=1&of=deliveries')).toMatchObject({ arrived: 1 });
      await other.close();
      expect(await sent).not.toBe('sent');
    } finally {
      sandbox = own;
      await other.close();
    }
  });

  it('refuses faults that SMTP cannot have', async () => {
    expect(await setFaults({ kind: 'status', status: 302 })).toEqual({
      error: 'fault 0: status is an SMTP code from 400 to 599',
    });
  });
});
