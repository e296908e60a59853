import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anInboxItem } from '#testing/builders';
import { MemoryInboxStore } from '#testing/memory-inbox';
import { Inbox as Received, until } from '#testing/messaging';
import type { Reader } from './ports.js';
import { readerDigest } from './reader.js';
import { InboxStreams, type InboxStreamsParts, type Sink } from './streams.js';
import type { InboxPass } from './tokens.js';

const READER: Reader = { serviceName: 'test', tenantId: null, userId: 'p-1042' };
const OTHER: Reader = { ...READER, userId: 'p-2' };
const HOUR_MS = 3_600_000;

interface Event {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

class RecordingSink implements Sink {
  readonly events = new Received<Event>();
  readonly comments = new Received<string>();
  ended = false;
  /** Takes no more. */
  full = false;
  text = '';

  send(bytes: Buffer): boolean {
    if (this.full) return false;
    const block = bytes.toString();
    this.text += block;
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    if (block.startsWith(':')) this.comments.add(block);
    else
      this.events.add({
        id: field('id'),
        event: field('event'),
        data: JSON.parse(field('data')) as Record<string, unknown>,
      });
    return true;
  }

  end(): void {
    this.ended = true;
  }

  get told(): string[] {
    return this.events.items.map(({ event, data }) => [event, data['id'], data['version']].filter(Boolean).join(' '));
  }
}

describe('streams of inboxes', () => {
  let store: MemoryInboxStore;
  let streams: InboxStreams;
  let problems: unknown[];

  const make = (over: Partial<InboxStreamsParts> = {}): InboxStreams =>
    new InboxStreams({
      changes: store,
      heartbeatMs: HOUR_MS,
      pollMs: HOUR_MS,
      maxStreams: 10,
      now: () => store.time,
      random: () => 0.5,
      onProblem: (error) => problems.push(error),
      ...over,
    });
  beforeEach(() => {
    store = new MemoryInboxStore();
    problems = [];
    streams = make();
  });
  afterEach(() => streams.close());

  const pass = (reader = READER, ms = HOUR_MS): InboxPass => ({
    reader,
    expiresAt: new Date(store.time.getTime() + ms),
  });
  const open = async (last: string | null = null, reader = READER): Promise<RecordingSink> => {
    const sink = new RecordingSink();
    await streams.open(pass(reader), last, sink);
    return sink;
  };
  let ids = 0;
  const put = async (reader = READER): Promise<string> => {
    const id = `${(ids += 1).toString(16).padStart(24, '0')}-1`;
    await store.deposit([anInboxItem({ ...reader, id })]);
    return id;
  };
  const wake = (...readers: Reader[]): void => streams.wake(readers.map(readerDigest));

  it('begin with a hint for coming back, and tell what is stored, changed and deleted', async () => {
    const sink = await open();
    expect(sink.text).toBe(`retry: 2000\nid: ${store.time.getTime()}\nevent: ready\ndata: {"resumed":false}\n\n`);
    const id = await put();
    wake(READER);
    expect(await sink.events.at(1)).toMatchObject({ event: 'item', data: { id, version: 1, readAt: null } });
    await store.mark(READER, id, true);
    wake(READER);
    expect(await sink.events.at(2)).toMatchObject({ event: 'item', data: { id, version: 2 } });
    await store.remove(READER, id);
    wake(READER);
    expect(await sink.events.at(3)).toMatchObject({ event: 'removed', data: { id, version: 3 } });
  });

  it('look once for all who listen to one reader, and once for all readers of a service', async () => {
    const sinks = [await open(), await open(), await open(), await open(null, OTHER)];
    store.looks.length = 0;
    const [mine, theirs] = [await put(), await put(OTHER)];
    wake(READER, OTHER);
    for (const [index, sink] of sinks.entries())
      expect((await sink.events.at(1)).data['id']).toBe(index === 3 ? theirs : mine);
    expect(store.looks).toHaveLength(1);
    expect(store.looks[0]).toHaveLength(2);
  });

  it('tell of a change that shows after later ones', async () => {
    const sink = await open();
    const early = await put();
    const row = store.rows.get(early);
    if (row === undefined) throw new Error('not stored');
    // Its write has begun, and has not ended.
    store.rows.delete(early);
    store.pass(3_000);
    const later = await put();
    wake(READER);
    expect((await sink.events.at(1)).data['id']).toBe(later);
    store.pass(3_000);
    store.rows.set(early, row);
    wake(READER);
    const shown = await sink.events.at(2);
    expect(shown.data['id']).toBe(early);
    // Who resumes after it has not missed what came before.
    expect(Number(shown.id)).toBeGreaterThanOrEqual(Number((await sink.events.at(1)).id));
  });

  it('tell nothing twice, however often they look', async () => {
    const sink = await open();
    const first = await put();
    wake(READER);
    await sink.events.at(1);
    wake(READER);
    const second = await put();
    wake(READER);
    await sink.events.at(2);
    expect(sink.told).toEqual(['ready', `item ${first} 1`, `item ${second} 1`]);
  });

  it('look again for what came while they looked', async () => {
    const sink = await open();
    let goOn = (): void => undefined;
    store.gate = () => new Promise((resolve) => (goOn = resolve));
    const looks = store.looks.length;
    const first = await put();
    wake(READER);
    await until(() => store.looks.length > looks);
    wake(READER);
    store.gate = () => Promise.resolve();
    goOn();
    await sink.events.at(1);
    const second = await put();
    wake(READER);
    await sink.events.at(2);
    expect(sink.told.slice(1)).toEqual([`item ${first} 1`, `item ${second} 1`]);
    expect(store.looks.length).toBeGreaterThanOrEqual(looks + 2);
  });

  it('resume after an event: what was missed first, then that they are live', async () => {
    const sink = await open();
    const [kept, gone] = [await put(), await put()];
    wake(READER);
    const { id: last } = await sink.events.at(2);
    store.pass(60_000);
    const later = await put();
    await store.remove(READER, gone);
    store.pass(60_000);
    const again = await open(last);
    expect([...again.told].sort()).toEqual([`item ${kept} 1`, `item ${later} 1`, `removed ${gone} 2`, 'ready'].sort());
    expect(again.told.at(-1)).toBe('ready');
    expect(again.events.items.at(-1)?.data).toEqual({ resumed: true });
  });

  it('hold back what comes while they look for what was missed', async () => {
    await open();
    const missed = await put();
    const last = String(store.time.getTime());
    let goOn = (): void => undefined;
    const looks = store.looks.length;
    store.gate = () => new Promise((resolve) => (goOn = resolve));
    const sink = new RecordingSink();
    const opening = streams.open(pass(), last, sink);
    await until(() => store.looks.length > looks);
    store.gate = () => Promise.resolve();
    const live = await put();
    wake(READER);
    await until(() => store.looks.length > looks + 1);
    expect(sink.told).toEqual([]);
    goOn();
    await opening;
    await sink.events.first(3);
    const ready = sink.told.indexOf('ready');
    expect(sink.told.slice(0, ready)).toContain(`item ${missed} 1`);
    expect(sink.told).toContain(`item ${live} 1`);
  });

  it.each([
    ['no id of ours', () => 'x'],
    ['two days ago', (now: number) => String(now - 48 * HOUR_MS)],
    ['in two days', (now: number) => String(now + 48 * HOUR_MS)],
  ])('begin anew after %s', async (_what, id) => {
    await put();
    const sink = await open(id(store.time.getTime()));
    expect(sink.told).toEqual(['ready']);
    expect(sink.events.items[0]?.data).toEqual({ resumed: false });
  });

  it('ask to load the list where too much changed, of that reader alone', async () => {
    const [sink, other] = [await open(), await open(null, OTHER)];
    await store.deposit(
      Array.from({ length: 2_001 }, (_, n) =>
        anInboxItem({ ...READER, id: `${'a'.repeat(20)}${String(n).padStart(4, '0')}-1` }),
      ),
    );
    const theirs = await put(OTHER);
    wake(READER, OTHER);
    expect(await sink.events.at(1)).toMatchObject({ event: 'ready', data: { resumed: false } });
    expect((await other.events.at(1)).data['id']).toBe(theirs);
    const last = String(store.time.getTime());
    expect((await open(last)).events.items).toMatchObject([{ event: 'ready', data: { resumed: false } }]);
  });

  it('drop a reader that is too slow, and serve the others', async () => {
    const [slow, quick] = [await open(), await open()];
    slow.full = true;
    const id = await put();
    wake(READER);
    expect((await quick.events.at(1)).data['id']).toBe(id);
    expect(streams.size).toBe(1);
  });

  it('are no more than this gateway keeps', async () => {
    streams = make({ maxStreams: 1 });
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'unavailable' });
    expect(streams.size).toBe(1);
  });

  it('are not opened while the database does not answer, and are then', async () => {
    store.gate = () => Promise.reject(new Error('away'));
    await expect(open()).rejects.toThrow('away');
    expect(streams.size).toBe(0);
    store.gate = () => Promise.resolve();
    expect((await open()).told).toEqual(['ready']);
  });

  it('miss nothing of what they could not look for', async () => {
    const sink = await open();
    const id = await put();
    store.gate = () => Promise.reject(new Error('away'));
    wake(READER);
    await until(() => problems.length > 0);
    store.gate = () => Promise.resolve();
    streams.wakeAll();
    expect((await sink.events.at(1)).data['id']).toBe(id);
  });

  it('end when a gateway stops, and are opened no more', async () => {
    const sinks = [await open(), await open(null, OTHER)];
    streams.close();
    for (const sink of sinks) {
      expect(sink.events.items.at(-1)).toMatchObject({ event: 'end', data: { reason: 'shutting_down' } });
      expect(sink.events.items.at(-1)?.id).toMatch(/^[0-9]+$/);
      expect(sink.ended).toBe(true);
    }
    expect(streams.size).toBe(0);
    await expect(open()).rejects.toMatchObject({ code: 'unavailable' });
  });

  describe('in time', () => {
    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('say that they live, look by themselves, and end with the token', async () => {
      streams = make({ heartbeatMs: 1_000, pollMs: 5_000 });
      const sink = new RecordingSink();
      await streams.open(pass(READER, 12_000), null, sink);
      const id = await put();
      await jest.advanceTimersByTimeAsync(1_000);
      expect(sink.comments.items).toEqual([':\n\n']);
      expect(sink.told).toEqual(['ready']);
      await jest.advanceTimersByTimeAsync(4_000);
      expect(sink.told).toEqual(['ready', `item ${id} 1`]);
      await jest.advanceTimersByTimeAsync(6_999);
      expect(sink.ended).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      expect(sink.events.items.at(-1)).toMatchObject({ event: 'end', data: { reason: 'token_expired' } });
      expect(sink.ended).toBe(true);
      expect(jest.getTimerCount()).toBe(0);
    });

    it('forget a reader that has gone', async () => {
      const gone = await streams.open(pass(), null, new RecordingSink());
      gone();
      gone();
      expect(streams.size).toBe(0);
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
