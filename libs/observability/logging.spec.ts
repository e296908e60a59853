import { describe, expect, it } from '@jest/globals';
import { createLogger, type Logger } from './logging.js';

const lines: string[] = [];
const logger = (level = 'info'): Logger => {
  lines.length = 0;
  return createLogger('dispatcher', level, { write: (line) => void lines.push(line) });
};
const written = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

const TOKEN = `fcm_${'Tok3n-'.repeat(25)}`;
const SECRETS = {
  body: 'Your result is positive',
  title: 'HIV test',
  html: '<b>positive</b>',
  data: { result: 'positive-in-data' },
  to: ['ada@example.org'],
  userEmail: 'grace@example.org',
};
const notification = {
  id: '66f1c0de9a1b2c3d4e5f6071',
  channel: 'email',
  state: 'sending',
  title: SECRETS.title,
  body: SECRETS.body,
  html: SECRETS.html,
  data: SECRETS.data,
  to: SECRETS.to,
  deliveries: [{ id: '66f1c0de9a1b2c3d4e5f6071-1', target: TOKEN, status: 'open' }],
  recipient: { email: 'ada@example.org', devices: [{ token: TOKEN }], addresses: ['https://example.org/hook?key=1'] },
};
const FORBIDDEN = [
  'positive',
  'HIV',
  'ada@',
  'grace@',
  'Tok3n',
  '/hook',
  'key=1',
  'car_live',
  'hunter2',
  'whsec_',
  'sl4ck',
];
const expectClean = (): void => {
  expect(lines.length).toBeGreaterThan(0);
  for (const word of FORBIDDEN) expect(lines.join('')).not.toContain(word);
};

describe('log lines', () => {
  it('are JSON, with level, time, app and process', () => {
    logger().info({ notificationId: notification.id, at: new Date(0), none: undefined, nothing: null }, 'done');
    expect(written()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        app: 'dispatcher',
        pid: process.pid,
        notificationId: notification.id,
        at: '1970-01-01T00:00:00.000Z',
        nothing: null,
        msg: 'done',
      },
    ]);
  });

  it.each<[string, object]>([
    ['as it is', notification],
    ['one level down', { notification }],
    ['two levels down', { change: { notification } }],
    ['in lists', { batch: [[notification]] }],
    ['in what turns itself into JSON', { document: { toJSON: () => ({ notification }) } }],
  ])('never hold contents and addresses of a notification: %s', (_, fields) => {
    logger().info(fields, 'noted');
    expectClean();
    expect(lines[0]).toContain(notification.id);
    expect(lines[0]).toContain('[redacted]');
  });

  it('never hold what proves who somebody is', () => {
    logger().info(
      {
        headers: { authorization: 'Bearer car_live_1', 'x-api-key': 'car_live_2', cookie: 'car_live_3' },
        settings: { smtp: { password: 'hunter2' }, webhooks: { secrets: ['whsec_1'] } },
        token: 'car_live_4',
      },
      'noted',
    );
    expectClean();
  });

  it('never hold them inside errors, nor in what these say', () => {
    const cause = Object.assign(new Error('E11000 duplicate key error dup key: { devices.token: "Tok3n" }'), {
      keyValue: { 'devices.token': TOKEN },
      writeErrors: [{ err: { index: 0, op: notification } }],
    });
    const error = Object.assign(
      new Error(
        `550 no mailbox ada@example.org, token ${TOKEN}, POST https://example.org/hook?key=1, ` +
          'Bearer car_live_1, smtp://carillon:hunter2@mail.example.org:25, ' +
          'xoxb-17653672481-sl4ck (xapp-1-sl4ck-9) xoxe.xoxb-1-sl4ck',
        { cause },
      ),
      { request: { ...notification, authorization: 'car_live_2' }, code: 'EENVELOPE', rejected: ['ada@example.org'] },
    );
    const log = logger();
    log.warn({ err: error }, 'noted');
    log.warn(error);
    log.warn({ results: [{ reason: error }] }, 'noted');
    expectClean();
    expect(written()[0]).toMatchObject({ err: { type: 'Error', code: 'EENVELOPE' } });
    const { message, stack } = written()[0]?.['err'] as { message: string; stack: string };
    expect(message).toMatch(/^550 no mailbox \[redacted\].*POST https:\/\/example\.org\/….*mail\.example\.org:25/s);
    expect(stack).toContain('logging.spec');
  });

  it('keep where an error happened, and with which server', () => {
    const error = new Error('connect ECONNREFUSED 127.0.0.1:27017, https://fcm.googleapis.com answered 503');
    logger().warn({ err: error }, 'noted');
    expect(written()[0]).toMatchObject({ err: { message: error.message, stack: error.stack } });
  });

  it('end soon, whatever they are given', () => {
    const began = performance.now();
    logger().warn({ err: new Error('a.-:'.repeat(50_000)) }, 'noted');
    logger().warn({ err: new Error(`${'https://a.'.repeat(20_000)}@`) }, 'noted');
    expect(performance.now() - began).toBeLessThan(2_000);
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    circle['others'] = [circle, circle, circle];
    logger().info({ circle, many: Array.from({ length: 2_000 }, (_, index) => ({ index })) }, 'noted');
    expect(lines[0]?.length).toBeLessThan(100_000);
    expect(lines[0]).toContain('[cut]');
  });
});
