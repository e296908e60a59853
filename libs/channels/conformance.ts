import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel } from '#contracts/vocabulary';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';

/** What every sender must do, shown against a provider on the real protocol that misbehaves when asked to. */

/** A fault of the sandbox, as `PUT /faults/<channel>` takes it. */
export interface ProviderFault {
  kind: 'status' | 'latency' | 'hang' | 'reset' | 'drop';
  status?: number;
  errorCode?: string;
  retryAfter?: number;
  latencyMs?: number;
  count?: number;
  match?: string;
  provider?: string;
  stage?: string;
  recorded?: boolean;
}

/** A running sandbox. */
export interface TestProvider {
  httpUrl: string;
  smtpPort: number;
  close(): Promise<void>;
}

export interface Harness {
  channel: Channel;
  /** Where the channel has several providers. */
  title?: string;
  start(): Promise<TestProvider>;
  /** A sender for that provider. Connections: how many at the most. */
  sender(
    provider: { httpUrl: string; smtpPort: number },
    options: { timeoutMs: number; connections: number },
  ): ChannelSender;
  /** How a name is written in a target, where not as it is. */
  spelt?(name: string): string;
  /** A valid target that contains `name`, as it is spelt. */
  target(provider: TestProvider, name: string): string;
  /** Answers of the provider, and what they must become. */
  answers: readonly (readonly [title: string, fault: ProviderFault, expected: Partial<Outcome>])[];
}

interface Counts {
  received: number;
  redelivered: number;
  duplicates: number;
}

/** A request to send, with all that has no meaning for the case at hand filled in. */
export const sendRequest = (over: Partial<SendRequest> & { target: string }): SendRequest => ({
  deliveryId: '66f1c0de9a1b2c3d4e5f6071-1',
  notificationId: '66f1c0de9a1b2c3d4e5f6071',
  serviceName: 'test',
  tenantId: null,
  userId: 'p-1042',
  reference: null,
  type: 'reminder',
  priority: 'normal',
  title: 'Insulin',
  body: 'Time for your 8:00 dose',
  html: null,
  data: {},
  groupId: null,
  createdAt: new Date('2026-11-21T08:00:00.000Z'),
  expiresAt: null,
  atMostOnce: false,
  place: null,
  attempt: 1,
  traceparent: null,
  ...over,
});

const never = (): AbortSignal => new AbortController().signal;

const call = async (provider: TestProvider, method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(provider.httpUrl + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
};

/** Describes the tests that every sender passes. */
export const describeSender = (harness: Harness): void => {
  const { channel } = harness;
  let provider: TestProvider;
  const senders: ChannelSender[] = [];

  const sender = (options: { timeoutMs?: number; connections?: number } = {}): ChannelSender => {
    const made = harness.sender(provider, { timeoutMs: 10_000, connections: 4, ...options });
    senders.push(made);
    return made;
  };
  const request = (name: string, over: Partial<SendRequest> = {}): SendRequest => {
    const id = Buffer.from(name.padEnd(12, '.')).toString('hex').slice(0, 24);
    return sendRequest({ target: harness.target(provider, name), notificationId: id, deliveryId: `${id}-1`, ...over });
  };
  const faults = async (...list: ProviderFault[]): Promise<void> => {
    await call(provider, 'PUT', `/faults/${channel}`, list);
  };
  const spelt = (name: string): string => harness.spelt?.(name) ?? name;
  const struck = async (): Promise<number[]> => {
    const all = (await call(provider, 'GET', '/faults')) as Record<Channel, { struck: number }[]>;
    return all[channel].map((fault) => fault.struck);
  };
  const counts = async (): Promise<Counts> =>
    ((await call(provider, 'GET', '/counts')) as Record<Channel, Counts>)[channel];
  const arrived = async (count: number): Promise<void> => {
    await call(provider, 'GET', `/wait?channel=${channel}&of=received&count=${count}`);
  };
  const received = async (): Promise<string[]> => {
    const { data } = (await call(provider, 'GET', `/received?channel=${channel}&limit=1000`)) as {
      data: { deliveryId: string }[];
    };
    return data.map(({ deliveryId }) => deliveryId).sort();
  };
  const kinds = (outcomes: Outcome[]): string[] => outcomes.map(({ kind }) => kind);

  beforeAll(async () => {
    provider = await harness.start();
  });
  afterAll(() => provider.close());
  beforeEach(async () => {
    await faults();
    await call(provider, 'DELETE', '/received');
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((one) => one.close()));
  });

  describe(`the sender of ${harness.title ?? channel}`, () => {
    it('says what it can do', () => {
      const one = sender();
      expect(one.channel).toBe(channel);
      expect(one.batchSize).toBeGreaterThan(0);
      expect(one.concurrency).toBeGreaterThan(0);
      expect(one.timeoutMs).toBe(10_000);
    });

    it('has nothing to say about nothing', async () => {
      expect(await sender().send([], never())).toEqual([]);
    });

    it('hands over each delivery under its own id', async () => {
      const batch = Array.from({ length: 25 }, (_, index) => request(`n${index}`));
      const outcomes = await sender().send(batch, never());
      expect(new Set(kinds(outcomes))).toEqual(new Set(['sent']));
      expect(outcomes).toHaveLength(25);
      expect(await received()).toEqual(batch.map(({ deliveryId }) => deliveryId).sort());
      expect(await counts()).toMatchObject({ received: 25, redelivered: 0, duplicates: 0 });
    });

    it('repeats under the same id, so that the provider can tell', async () => {
      const one = sender();
      await one.send([request('again')], never());
      await one.send([request('again', { attempt: 2 })], never());
      expect(await counts()).toMatchObject({ received: 2, redelivered: 1, duplicates: 0 });
    });

    it('answers in the order of the batch', async () => {
      const [, fault, expected] = harness.answers[0] ?? [];
      if (fault === undefined) throw new Error('the harness knows no answer');
      await faults({ ...fault, match: spelt('bad') });
      const names = ['good1', 'bad1', 'good2', 'good3', 'bad2', 'good4'];
      const outcomes = await sender().send(
        names.map((name) => request(name)),
        never(),
      );
      expect(kinds(outcomes)).toEqual(['sent', expected?.kind, 'sent', 'sent', expected?.kind, 'sent']);
    });

    it.each(harness.answers.map(([title, fault, expected]) => ({ title, fault, expected })))(
      'understands $title, and leaves repeating to others',
      async ({ fault, expected }) => {
        await faults(fault);
        const target = request('one');
        const outcomes = await sender().send([target], never());
        expect(outcomes).toEqual([expect.objectContaining(expected)]);
        expect(await struck()).toEqual([1]);
        expect(JSON.stringify(outcomes)).not.toContain(target.target);
      },
    );

    it('is uncertain when the connection ends without an answer', async () => {
      await faults({ kind: 'drop' });
      expect(await sender().send([request('one')], never())).toEqual([
        expect.objectContaining({ kind: 'uncertain', code: 'connection_lost' }),
      ]);
      expect(await struck()).toEqual([1]);
      expect(await counts()).toMatchObject({ received: 1 });
    });

    it('is as uncertain on a connection that was used before', async () => {
      const one = sender({ connections: 1 });
      await faults({ kind: 'drop', match: spelt('lost') });
      const outcomes = await one.send(
        ['first', 'second', 'lost'].map((name) => request(name)),
        never(),
      );
      expect(kinds(outcomes)).toEqual(['sent', 'sent', 'uncertain']);
      expect(kinds(await one.send([request('lost')], never()))).toEqual(['uncertain']);
    });

    it('is uncertain when no answer comes in time, of that one only', async () => {
      await faults({ kind: 'hang', match: spelt('slow'), recorded: true });
      const outcomes = await sender({ timeoutMs: 400 }).send(
        [request('quick1'), request('slow'), request('quick2')],
        never(),
      );
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'sent' }),
        expect.objectContaining({ kind: 'uncertain', code: 'no_answer' }),
        expect.objectContaining({ kind: 'sent' }),
      ]);
    });

    it('goes on after a lost connection', async () => {
      const one = sender({ connections: 1 });
      await faults({ kind: 'reset', count: 1 });
      const [lost] = await one.send([request('lost')], never());
      expect(['uncertain', 'transient']).toContain(lost?.kind);
      expect(kinds(await one.send([request('next')], never()))).toEqual(['sent']);
      expect(await received()).toEqual([request('next').deliveryId]);
    });

    it('is not uncertain of what it could not even begin', async () => {
      const gone = await harness.start();
      await gone.close();
      const one = harness.sender(gone, { timeoutMs: 10_000, connections: 4 });
      senders.push(one);
      const batch = ['one', 'two'].map((name) => request(name, { target: harness.target(gone, name) }));
      const outcomes = await one.send(batch, never());
      for (const outcome of outcomes) {
        expect(['provider_down', 'transient']).toContain(outcome.kind);
        expect(outcome).toMatchObject({ code: 'provider_unreachable', class: 'provider' });
      }
      expect(outcomes).toHaveLength(2);
    });

    it('sends nothing once the lease has ended', async () => {
      const outcomes = await sender().send([request('one'), request('two')], AbortSignal.abort());
      expect(outcomes).toEqual([
        expect.objectContaining({ kind: 'transient', code: 'lease_ended' }),
        expect.objectContaining({ kind: 'transient', code: 'lease_ended' }),
      ]);
      expect(await counts()).toMatchObject({ received: 0 });
    });

    it('stops when the lease ends: what was written is uncertain, the rest is not sent', async () => {
      await faults({ kind: 'hang', recorded: true });
      const one = sender({ connections: 2 });
      const controller = new AbortController();
      const sending = one.send(
        Array.from({ length: 6 }, (_, index) => request(`n${index}`)),
        controller.signal,
      );
      await arrived(2);
      controller.abort();
      const outcomes = await sending;
      expect(kinds(outcomes).sort()).toEqual([...Array<string>(4).fill('transient'), 'uncertain', 'uncertain']);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ code: outcome.kind === 'uncertain' ? 'no_answer' : 'lease_ended' });
      // Whatever was left behind would be ahead of this one.
      await faults();
      expect(kinds(await one.send([request('next')], never()))).toEqual(['sent']);
      expect(await counts()).toMatchObject({ received: 3 });
    });

    it('closes while something is on its way', async () => {
      await faults({ kind: 'hang', recorded: true });
      const one = sender();
      const controller = new AbortController();
      const sending = one.send([request('one')], controller.signal);
      await arrived(1);
      await one.close();
      controller.abort();
      expect(kinds(await sending)).toEqual(['uncertain']);
    });
  });
};
