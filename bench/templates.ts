import { type Figure, latencyOf, round } from './figure.js';
import { loadCount } from './load.js';
import type { BenchOptions } from './options.js';
import { postRequest } from './connection.js';
import { notificationFor, type Platform, sendRequests, SERVICE, startPlatform, untilPublished } from './platform.js';

/** So few requests at once that what is measured is the work, and not the queue. */
const CONNECTIONS = 4;
const DEFAULT_COUNT = 1_000;

const TEXT =
  'Hello {{name}}, {{#if urgent}}now{{else}}soon{{/if}}: {{#each doses}}{{this.amount}} of {{this.drug}} at {{this.time}}. {{/each}}';
const VARIABLES = {
  type: 'object',
  required: ['name', 'urgent', 'doses'],
  properties: {
    name: { type: 'string', maxLength: 100 },
    urgent: { type: 'boolean' },
    doses: {
      type: 'array',
      items: {
        type: 'object',
        required: ['amount', 'drug', 'time'],
        properties: { amount: { type: 'string' }, drug: { type: 'string' }, time: { type: 'string' } },
      },
    },
  },
};
const DOSES = ['8:00', '12:00', '18:00'].map((time) => ({ amount: '8 units', drug: 'insulin', time }));

const nameOf = (number: number): string => `bench-${number}`;

const publish = async ({ house }: Platform, name: string): Promise<void> => {
  const body = {
    serviceName: SERVICE,
    name,
    channel: 'push',
    content: { title: 'Insulin, {{name}}', body: TEXT },
    variables: VARIABLES,
  };
  const made = await house.call('POST', '/api/templates', { body });
  const published = await house.call('POST', `/api/templates/${name}/versions/${String(made.body['id'])}/publish`);
  if (published.status !== 200) throw new Error(`not published: ${published.status} ${JSON.stringify(published.body)}`);
};

let runs = 0;

/** Requests that name one template each, and never the same one within `count`. */
const templateRequests = ({ house, gateway }: Platform, count: number): ((number: number) => string) => {
  runs += 1;
  const run = `${process.pid}-t${runs}`;
  const first = runs * count;
  return (number) => {
    const plain = notificationFor(first + number, 'push', house.sandbox.url);
    const variables = { name: 'Ada', urgent: number % 2 === 0, doses: DOSES };
    return postRequest(
      gateway,
      '/api/notifications',
      { authorization: `Bearer ${house.key}`, 'idempotency-key': `${run}-${number}` },
      JSON.stringify({ ...plain, title: undefined, body: undefined, template: { name: nameOf(number) }, variables }),
    );
  };
};

/** Accepting from templates that the gateway has to read and compile first, against those that it remembers. */
export const templates = async (options: BenchOptions): Promise<Figure> => {
  // One user may be asked for more often than in life: there are only so many templates.
  const platform = await startPlatform(options, {}, { USER_LIMIT_PER_MINUTE: '1000000' });
  const count = options.count ?? DEFAULT_COUNT;
  options.say(`publishing ${count} templates`);
  for (let number = 0; number < count; number += 1) await publish(platform, nameOf(number));
  const load = async (request: (number: number) => string): Promise<number[]> => {
    const { latencies } = await loadCount({ url: platform.gateway, connections: CONNECTIONS, count, request });
    await untilPublished(platform);
    return latencies;
  };
  await load(templateRequests(platform, count));

  const found: Record<'cold' | 'warm' | 'plain', number[]> = { cold: [], warm: [], plain: [] };
  for (let turn = 0; turn < options.rounds; turn += 1) {
    const forgotten = await platform.house.call('POST', '/api/templates/invalidate', { body: {} });
    if (forgotten.status !== 204) throw new Error(`not forgotten: ${forgotten.status}`);
    found.cold.push(...(await load(templateRequests(platform, count))));
    found.warm.push(...(await load(templateRequests(platform, count))));
    found.plain.push(...(await load(sendRequests(platform, 'push'))));
    options.say(`round ${turn + 1} of ${options.rounds}`);
  }
  const [cold, warm, plain] = [latencyOf(found.cold), latencyOf(found.warm), latencyOf(found.plain)];
  return {
    bench: 'templates',
    value: warm.p50,
    unit: 'ms',
    floor: null,
    ratio: null,
    coldP50: cold.p50,
    coldP99: cold.p99,
    warmOfCold: round(warm.p50 / cold.p50, 3),
    warmP99: warm.p99,
    plainP50: plain.p50,
    plainP99: plain.p99,
    count: found.warm.length,
    reached: warm.p50 < cold.p50,
  };
};
