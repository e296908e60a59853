import { setTimeout as pause } from 'node:timers/promises';
import { OPERATIONS } from '#contracts/http/operations';
import { CreateTemplate } from '#contracts/http/templates';
import { Failed } from '../exit.js';
import { pushTemplate } from '../templates.js';
import { checks, expect, type Ground, SERVICE } from './check.js';

const NAME = 'carillon-check';
/** In which every process hears of a new version. */
const HEARD_MS = 1_000;
const LOOKS = 20;

const template = (body: string): CreateTemplate =>
  CreateTemplate.parse({ serviceName: SERVICE, name: NAME, channel: 'webhook', content: { title: NAME, body } });

/** Makes this text the live one. Two versions are enough for all runs: publishing an older one again rolls back. */
const publish = async (ground: Ground, body: string): Promise<void> => {
  const { data } = await ground.api
    .call(OPERATIONS.listTemplates, { query: { serviceName: SERVICE, name: NAME, channel: 'webhook' } })
    .then(async ({ data: items }) =>
      items.length === 0
        ? { data: [] }
        : ground.api.call(OPERATIONS.getTemplate, { params: { name: NAME }, query: { serviceName: SERVICE } }),
    );
  const kept = data.find((one) => one.content.body === body);
  if (kept === undefined) await pushTemplate(ground.api, template(body), true);
  else await ground.api.call(OPERATIONS.publishTemplate, { params: { name: NAME, id: kept.id }, body: {} });
};

const look = async (ground: Ground): Promise<string> => {
  const { body } = await ground.api.call(OPERATIONS.previewTemplate, {
    params: { name: NAME },
    body: { serviceName: SERVICE, channel: 'webhook' },
  });
  return body;
};

interface Counts {
  process: string;
  hit: number;
  miss: number;
}

/** What one gateway has counted: several may answer behind one address. */
const countsOf = async (ground: Ground): Promise<Counts> => {
  const text = await ground.api.text('/metrics');
  const count = (result: string): number =>
    [...text.matchAll(/^carillon_template_cache_total\{([^}]*)\} (\d+)/gm)]
      .filter(([, labels = '']) => labels.includes(`result="${result}"`))
      .reduce((sum, [, , value]) => sum + Number(value), 0);
  return {
    process: /^process_start_time_seconds\S* (\S+)/m.exec(text)?.[1] ?? '',
    hit: count('hit'),
    miss: count('miss'),
  };
};

/** What the same gateway has counted since. @throws Failed */
const since = async (ground: Ground, before: Counts): Promise<Counts> => {
  for (let tries = 0; tries < LOOKS; tries += 1) {
    const now = await countsOf(ground);
    if (now.process === before.process)
      return { process: now.process, hit: now.hit - before.hit, miss: now.miss - before.miss };
  }
  throw new Failed('the gateway that was looked at first does not answer /metrics any more');
};

/** Compiled templates. */
export const CACHE = checks(
  {
    name: 'a template that is used again comes from the cache',
    run: async (ground) => {
      await publish(ground, 'First text');
      const before = await countsOf(ground);
      for (let looks = 0; looks < LOOKS; looks += 1) await look(ground);
      const { hit, miss } = await since(ground, before);
      expect(hit > miss, `${LOOKS} look-ups were ${hit} hits and ${miss} misses`);
      return `${hit} hits, ${miss} misses`;
    },
  },
  {
    name: 'a new version is used everywhere within a second',
    run: async (ground) => {
      await publish(ground, 'First text');
      await look(ground);
      await publish(ground, 'Second text');
      await pause(HEARD_MS);
      for (let looks = 0; looks < LOOKS; looks += 1)
        expect((await look(ground)) === 'Second text', 'the old version is still used');
      return `${LOOKS} of ${LOOKS} look-ups see it`;
    },
  },
  {
    name: 'what is invalidated is read anew',
    run: async (ground) => {
      await publish(ground, 'First text');
      await pause(HEARD_MS);
      await look(ground);
      const before = await countsOf(ground);
      await ground.api.call(OPERATIONS.invalidateTemplates, { body: { name: NAME } });
      await pause(HEARD_MS);
      for (let looks = 0; looks < LOOKS; looks += 1) await look(ground);
      const { miss } = await since(ground, before);
      expect(miss > 0, 'nothing was read anew');
      return `${miss} ${miss === 1 ? 'miss' : 'misses'} after it`;
    },
  },
);
