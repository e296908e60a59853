import { setTimeout as delay } from 'node:timers/promises';
import { CHANNELS } from '#contracts/vocabulary';
import type { Stage } from './stage.js';

export interface Verdict {
  scenario: string;
  sabotage: string | null;
  /** Different notifications that were answered 202. */
  accepted: number;
  /** Of these, what a provider received. */
  sent: number;
  deadLetters: number;
  /** Accepted, and neither received by a provider nor explained by a dead letter. */
  lost: number;
  /** Received under more than one provider-side id, again though at most once, or one of several of one Idempotency-Key. */
  duplicates: number;
  /** Deliveries that came again under the same id. */
  redelivered: number;
  /** What was in hand at the kills, and so may come again. */
  inHand: number;
  seconds: number;
  /** Requests that failed where none may. */
  failedRequests: number;
  /** Requests that had to be sent again. */
  repeatedRequests: number;
  /** Where some of the lost ones stand. */
  missing: string[];
}

export const isGreen = ({ lost, duplicates, redelivered, inHand, failedRequests }: Verdict): boolean =>
  failedRequests === 0 && lost === 0 && duplicates === 0 && redelivered <= inHand;

/** So long may nothing at all happen before the rest is given up: longer than leases, locks and second looks. */
const PATIENCE_MS = 100_000;
/** The same once only messages could still wake what is pending: longer than any wait between attempts used here. */
const PATIENCE_FOR_MESSAGES_MS = 12_000;
/** After the last one is final: what the dead letters need to be written. */
const AFTERWARDS_MS = 5_000;
const LOOK_EVERY_MS = 250;
const DEADLINE_MS = 15 * 60_000;

/** Every notification that a provider received, with the times of each of its deliveries. */
const receivedBy = async ({ sandbox }: Stage): Promise<Map<string, Record<string, number>>> => {
  const all = await Promise.all(CHANNELS.map((channel) => sandbox.times(channel)));
  return new Map(all.flatMap((times) => Object.entries(times)));
};

const deadLettersOf = async ({ house }: Stage): Promise<Set<string>> => {
  const found = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const { status, body } = await house.call(
      'GET',
      `/api/dead-letters?limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    if (status !== 200) throw new Error(`the list of dead letters was answered ${status}`);
    const { data, page } = body as { data: { notificationId: string | null }[]; page: { nextCursor: string | null } };
    for (const { notificationId } of data) if (notificationId !== null) found.add(notificationId);
    cursor = page.nextCursor;
  }
  return found;
};

const unexplained = (stage: Stage, received: ReadonlyMap<string, unknown>, dead: ReadonlySet<string>): string[] =>
  [...new Set(stage.load.accepted.values())].filter((id) => !received.has(id) && !dead.has(id));

/**
 * Waits until all that was accepted is final and explained, or nothing moves any more.
 * @param hasSecondLook the scheduler finds lost wake-ups: it may be worth waiting for it
 */
export const untilSettled = async (stage: Stage, hasSecondLook: boolean): Promise<void> => {
  const deadline = performance.now() + DEADLINE_MS;
  let before = '';
  let movedAt = performance.now();
  for (;;) {
    const standing = await stage.records.standing();
    const counts = await stage.sandbox.counts();
    const picture = JSON.stringify([standing, CHANNELS.map((channel) => counts[channel].received)]);
    if (picture !== before) movedAt = performance.now();
    before = picture;
    const still = performance.now() - movedAt;
    if (standing.pending === 0) {
      const open = unexplained(stage, await receivedBy(stage), await deadLettersOf(stage));
      if (open.length === 0 || still > AFTERWARDS_MS) return;
    }
    const onlyMessages = !hasSecondLook && standing.sending === 0 && standing.owed === 0;
    if (still > (onlyMessages ? PATIENCE_FOR_MESSAGES_MS : PATIENCE_MS) || performance.now() > deadline) {
      stage.say(`nothing moves any more: ${JSON.stringify(standing)}`);
      return;
    }
    await delay(LOOK_EVERY_MS);
  }
};

/** What became of all that was accepted. `once`: what was to arrive at most once. */
export const judge = async (
  stage: Stage,
  once: ReadonlySet<string>,
  found: Pick<Verdict, 'scenario' | 'sabotage' | 'inHand' | 'seconds' | 'failedRequests'>,
): Promise<Verdict> => {
  const received = await receivedBy(stage);
  const dead = await deadLettersOf(stage);
  const accepted = new Set(stage.load.accepted.values());
  const lost = unexplained(stage, received, dead);
  const twice = new Set<string>(stage.load.contradicted);
  for (const [reference, count] of await stage.records.byReference()) if (count > 1) twice.add(reference);
  let manyIds = 0;
  let redelivered = 0;
  let againThoughOnce = 0;
  for (const [id, times] of received) {
    if (Object.keys(times).length > 1) manyIds += 1;
    for (const count of Object.values(times)) {
      redelivered += count - 1;
      if (once.has(id) && count > 1) againThoughOnce += 1;
    }
  }
  return {
    ...found,
    accepted: accepted.size,
    sent: [...accepted].filter((id) => received.has(id)).length,
    deadLetters: dead.size,
    lost: lost.length,
    duplicates: manyIds + twice.size + againThoughOnce,
    redelivered,
    repeatedRequests: stage.load.repetitions,
    missing: await stage.records.describe(lost.slice(0, 5)),
  };
};
