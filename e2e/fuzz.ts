import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';
import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { type House, startHouse } from '#testing/house';
import { ROOT } from '#testing/processes';

/** Bad input on every way in: no 5xx, no crash, and each refusal says which field. Prints `N passed, N failed`. */

const { values } = parseArgs({
  options: {
    schemathesis: { type: 'string' },
    examples: { type: 'string', default: '25' },
    messages: { type: 'string', default: '300' },
  },
});

const results: { what: string; problem: string | null }[] = [];
const check = (what: string, problem: string | null): void => {
  results.push({ what, problem });
  console.log(`${problem === null ? 'ok    ' : 'FAILED'} ${what}${problem === null ? '' : `: ${problem}`}`);
};

/** What ends keys comes last: it may find the one that it goes by. */
const PARTS = {
  'every HTTP operation': ['--exclude-path-regex', '^/api/keys/'],
  'ending keys': ['--include-path-regex', '^/api/keys/'],
};

const fuzzHttp = async (house: House, tool: string, what: string, selection: readonly string[]): Promise<void> => {
  const gateway = house.gateways[0];
  if (gateway === undefined) throw new Error('no gateway');
  const child = spawn(
    tool,
    [
      '--config-file',
      join(ROOT, 'e2e', 'schemathesis.toml'),
      'run',
      `${gateway.url}/docs/json`,
      '--url',
      gateway.url,
      '--header',
      `Authorization: Bearer ${house.key}`,
      '--checks',
      'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection',
      '--phases',
      'examples,coverage,fuzzing',
      '--max-examples',
      values.examples,
      '--seed',
      '20261121',
      '--suppress-health-check',
      'all',
      '--no-color',
      ...selection,
    ],
    { stdio: 'inherit', cwd: tmpdir() },
  );
  await once(child, 'exit');
  check(`${what}, by schema`, child.exitCode === 0 ? null : `schemathesis ended with ${String(child.exitCode)}`);
  check('the gateway is still there', gateway.running ? null : 'it ended');
};

/** A small generator of values with a seed, so that a failure can be repeated. */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

const badMessage = (random: () => number): Buffer => {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const kind = random();
  if (kind < 0.3)
    return Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
  const odd = [null, true, -1, 1e308, '', '\u0000', [], {}, [[]], { a: { b: [null] } }, 'x'.repeat(5_000)];
  if (kind < 0.5) return Buffer.from(JSON.stringify(pick(odd)));
  const body: Record<string, unknown> = {
    serviceName: 'test',
    userId: 'p-1',
    channel: 'email',
    to: 'a@example.org',
    title: 't',
    body: 'b',
  };
  body[pick(['serviceName', 'userId', 'channel', 'to', 'title', 'body', 'data', 'sendAt', 'unknown'])] = pick(odd);
  body['expiresAt'] = '1999-01-01T00:00:00Z';
  return Buffer.from(JSON.stringify(body));
};

const fuzzAmqp = async (house: House): Promise<void> => {
  const uri = new URL(house.vhost.uri);
  const connection = await connect(uri.href);
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.services, '');
  const random = seeded(20_261_121);
  const count = Number(values.messages);
  const withoutField: string[] = [];
  let refused = 0;
  const all = new Promise<void>((resolve) => {
    void channel.consume(
      queue,
      (message) => {
        if (message?.properties.type !== 'notification.refused') return;
        refused += 1;
        const body = JSON.parse(message.content.toString()) as { errors: { field?: unknown; message?: unknown }[] };
        if (
          body.errors.length === 0 ||
          body.errors.some((error) => typeof error.field !== 'string' || typeof error.message !== 'string')
        )
          withoutField.push(message.content.toString().slice(0, 200));
        if (refused === jsonCount) resolve();
      },
      { noAck: true },
    );
  });
  let jsonCount = 0;
  for (let index = 0; index < count; index += 1) {
    const content = badMessage(random);
    try {
      JSON.parse(content.toString());
      jsonCount += 1;
    } catch {
      // Not JSON: goes to the dead letters, and there is no producer who could read an answer by its fields.
    }
    const key = index % 4 === 3 ? ROUTING_KEYS.bulk : ROUTING_KEYS.send;
    channel.publish(EXCHANGES.api, key, content, {
      messageId: `fuzz-${index}`,
      type: key,
      userId: decodeURIComponent(uri.username),
      persistent: true,
    });
  }
  await channel.waitForConfirms();
  await all;
  check(
    `${count} bad messages on the intake queues`,
    withoutField.length === 0 ? null : `refusals without field: ${withoutField.join('; ')}`,
  );
  const good = {
    serviceName: 'test',
    userId: 'p-good',
    channel: 'email',
    to: 'good@example.org',
    title: 't',
    body: 'b',
  };
  channel.publish(EXCHANGES.api, ROUTING_KEYS.send, Buffer.from(JSON.stringify(good)), {
    messageId: 'good',
    type: ROUTING_KEYS.send,
    userId: decodeURIComponent(uri.username),
  });
  await channel.waitForConfirms();
  const arrived = await fetch(`${house.sandbox.url}/wait?channel=email&count=1&timeoutMs=30000`);
  check('a good message after them is sent', arrived.ok ? null : 'it did not arrive');
  check('the dispatcher is still there', house.dispatchers[0]?.running === true ? null : 'it ended');
  await connection.close();
};

const amqpUser = new URL(process.env['RABBITMQ_URI'] ?? 'amqp://none').username;
const house = await startHouse({
  name: 'fuzz',
  env: {
    AMQP_USERS: `${decodeURIComponent(amqpUser)}=test:notifications:send`,
    LOG_LEVEL: 'warn',
    KEY_RATE_PER_MINUTE: '10000000',
  },
});
try {
  await fuzzAmqp(house);
  for (const [what, selection] of Object.entries(PARTS))
    if (values.schemathesis !== undefined) await fuzzHttp(house, values.schemathesis, what, selection);
} finally {
  await house.stop();
}
const failed = results.filter(({ problem }) => problem !== null).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
