import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../../../../apps/sandbox/client.js';
import type { ChannelSender } from '#domain/sender';
import { plainHttp } from '#egress/guarded-http';
import { Deadline } from '../../deadline.js';
import type { Outcome } from '#domain/outcome';
import type { TokenStore } from '#domain/token-store';
import { MemoryTokenStore } from '#testing/memory-tokens';
import { sendRequest } from '../../conformance.js';
import { smsSender } from '../spec-sms.js';
import { AccessTokens, RENEW_BEFORE_MS } from './access-tokens.js';

/** Counts the requests for a token, and changes nothing. */
const COUNTING = { kind: 'latency', latencyMs: 1, stage: 'auth' };
/** Ends in less time than is left when it is renewed. */
const SHORT_S = RENEW_BEFORE_MS / 1000 - 10;

let sandbox: SandboxClient;
let hasty: SandboxClient;
let clock: number;
let tokens: MemoryTokenStore;
const senders: ChannelSender[] = [];

beforeAll(async () => {
  sandbox = await startSandboxClient({ SANDBOX_SMS_TOKENS_PER_MINUTE: '10000' });
  hasty = await startSandboxClient({ SANDBOX_SMS_TOKEN_LIFE_S: String(SHORT_S) });
});
afterAll(async () => {
  await sandbox.close();
  await hasty.close();
});
beforeEach(async () => {
  clock = 1_000_000_000;
  tokens = new MemoryTokenStore(() => clock);
  for (const one of [sandbox, hasty]) {
    await faults([COUNTING], one);
    await one.call('/received', { method: 'DELETE' });
  }
});
afterEach(async () => {
  await Promise.all(senders.splice(0).map((one) => one.close()));
});

const faults = (list: object[], at = sandbox): Promise<unknown> =>
  at.call('/faults/sms', { method: 'PUT', body: list });
const struck = async (at = sandbox): Promise<number[]> => {
  const all = (await at.call('/faults')) as { sms: { struck: number }[] };
  return all.sms.map((fault) => fault.struck);
};
/** A dispatcher's sender; several share the store. */
const dispatcher = (at = sandbox, store: TokenStore = tokens, secret = 'client-secret'): ChannelSender => {
  const sender = smsSender(
    at.httpUrl,
    { SMS_PROVIDERS: 'orange', ORANGE_CLIENT_SECRET: secret, SMS_TIMEOUT_MS: '5000' },
    store,
  );
  senders.push(sender);
  return sender;
};
const send = async (sender: ChannelSender, count = 1): Promise<string[]> => {
  const batch = Array.from({ length: count }, () => sendRequest({ target: '+2250707123456' }));
  const outcomes = await sender.send(batch, new AbortController().signal);
  return [...new Set(outcomes.map(({ kind }) => kind))];
};
const one = async (sender: ChannelSender): Promise<Outcome | undefined> =>
  (await sender.send([sendRequest({ target: '+2250707123456' })], new AbortController().signal))[0];

describe("Orange's token", () => {
  it('is asked for once, by all dispatchers together', async () => {
    const all = Array.from({ length: 5 }, () => dispatcher());
    expect(await Promise.all(all.map((sender) => send(sender, 20)))).toEqual(all.map(() => ['sent']));
    expect(await struck()).toEqual([1]);
    expect(await send(dispatcher(), 20)).toEqual(['sent']);
    expect(await struck()).toEqual([1]);
  });

  it('is renewed before it ends by one of them, while nobody waits', async () => {
    const [first, second] = [dispatcher(hasty), dispatcher(hasty)];
    expect(await send(first)).toEqual(['sent']);
    // Each token is due at once: one is renewed while the one before it is used.
    await faults([{ kind: 'hang', stage: 'auth' }], hasty);
    const sent = await Promise.all([first, second, first, second].map((sender) => send(sender)));
    expect(sent).toEqual([['sent'], ['sent'], ['sent'], ['sent']]);
    expect((await struck(hasty))[0]).toBeLessThanOrEqual(1);
  });

  it('is looked up no more for each message while somebody else renews it', async () => {
    let looks = 0;
    const counting: TokenStore = {
      take: (name, due) => {
        looks += 1;
        return tokens.take(name, due);
      },
      put: (...given) => tokens.put(...given),
      giveUp: (...given) => tokens.giveUp(...given),
      invalidate: (...given) => tokens.invalidate(...given),
    };
    expect(await send(dispatcher(hasty))).toEqual(['sent']);
    const [name = ''] = tokens.kept.keys();
    expect((await tokens.take(name, { renewBeforeMs: RENEW_BEFORE_MS, leaseMs: 60_000 })).lease).not.toBeNull();
    const other = dispatcher(hasty, counting);
    for (let sent = 0; sent < 50; sent += 1) expect(await send(other)).toEqual(['sent']);
    // Once a second.
    expect(looks).toBeLessThan(10);
  });

  it('is replaced once when it is refused, however many were on their way with it', async () => {
    const [first, second] = [dispatcher(), dispatcher()];
    await Promise.all([send(first), send(second)]);
    await faults([COUNTING, { kind: 'status', status: 401, count: 12 }]);
    expect(await Promise.all([send(first, 12), send(second, 12)])).toEqual([['sent'], ['sent']]);
    expect(await struck()).toEqual([1, 12]);
  });

  it('stays when a refusal of the one before it comes late', async () => {
    const http = plainHttp({ connectTimeoutMs: 5_000, connectionsPerOrigin: 1 });
    const ours = new AccessTokens({
      baseUrl: sandbox.httpUrl,
      clientId: 'client',
      clientSecret: 'client-secret',
      http,
      store: tokens,
      timeoutMs: 5_000,
    });
    const deadline = new Deadline(5_000, new AbortController().signal);
    const token = async (): Promise<string> => {
      const got = await ours.get(deadline);
      if ('outcome' in got) throw new Error(got.outcome.kind);
      return got.token;
    };
    const first = await token();
    await ours.reject(first);
    const second = await token();
    expect(second).not.toBe(first);
    await ours.reject(first);
    expect(await token()).toBe(second);
    expect(await struck()).toEqual([2]);
    deadline.clear();
    await http.close();
  });

  it('is replaced once for each message, and no more', async () => {
    await faults([{ kind: 'status', status: 401 }]);
    expect(await one(dispatcher())).toMatchObject({ kind: 'credentials', code: 'credentials_refused' });
    expect(await struck()).toEqual([2]);
  });

  it('is asked for again by another one when the one that asked was refused', async () => {
    await faults([{ kind: 'status', status: 500, stage: 'auth', count: 1 }, COUNTING]);
    const [first, second] = [dispatcher(), dispatcher()];
    expect(await one(first)).toMatchObject({ kind: 'transient', code: 'provider_unavailable' });
    expect(await send(second)).toEqual(['sent']);
    expect(await struck()).toEqual([1, 1]);
  });

  it('is not asked for by each message while Orange refuses', async () => {
    await faults([{ kind: 'status', status: 429, stage: 'auth' }]);
    const sender = dispatcher();
    expect(await send(sender, 50)).toEqual(['rate_limited']);
    for (let sent = 0; sent < 50; sent += 1) await one(sender);
    // Once a second.
    expect((await struck())[0]).toBeLessThan(10);
  });

  it('belongs to its credentials', async () => {
    expect(await send(dispatcher())).toEqual(['sent']);
    expect(await send(dispatcher(sandbox, tokens, 'another-secret'))).toEqual(['sent']);
    expect(await struck()).toEqual([2]);
  });

  it('is kept sealed, and neither it nor the secret is told', async () => {
    const sender = dispatcher();
    await send(sender);
    const kept = JSON.stringify([...tokens.kept]);
    expect(kept).not.toMatch(/sandbox-orange|client-secret/);
    await faults([{ kind: 'status', status: 401 }]);
    expect(JSON.stringify(await one(sender))).not.toMatch(/sandbox-orange|secret|Basic|Bearer/);
  });

  it('that cannot be looked up is a reason to try again', async () => {
    const broken: TokenStore = {
      take: () => Promise.reject(new Error('mongodb://user:secret@host is gone')),
      put: () => Promise.resolve(),
      giveUp: () => Promise.resolve(),
      invalidate: () => Promise.resolve(),
    };
    const outcome = await one(dispatcher(sandbox, broken));
    expect(outcome).toMatchObject({ kind: 'transient', code: 'token_unavailable', class: 'provider' });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it('that another one is about to bring is waited for, and no longer than a message may take', async () => {
    let looks = 0;
    const busy: TokenStore = {
      take: (name, due) => {
        looks += 1;
        return looks < 3 ? Promise.resolve({ sealed: null, leftMs: 0, lease: null }) : tokens.take(name, due);
      },
      put: (...given) => tokens.put(...given),
      giveUp: (...given) => tokens.giveUp(...given),
      invalidate: (...given) => tokens.invalidate(...given),
    };
    expect(await send(dispatcher(sandbox, busy))).toEqual(['sent']);
    const never: TokenStore = { ...busy, take: () => Promise.resolve({ sealed: null, leftMs: 0, lease: null }) };
    const sender = smsSender(sandbox.httpUrl, { SMS_PROVIDERS: 'orange', SMS_TIMEOUT_MS: '200' }, never);
    senders.push(sender);
    expect(await one(sender)).toMatchObject({ kind: 'transient', code: 'timeout' });
  });
});
