import type { mongo, Types } from 'mongoose';
import type { State, Status } from '#contracts/vocabulary';
import { RELAY_GRACE_MS } from '#domain/change';
import type { Settlement } from '#domain/settle';
import { append, byId, increment, later, NOW, NOW_IN_FALLBACK, optional, REMOVE, setIf } from '../expressions.js';

/** Who claims and settles, in histories. */
export const DISPATCHER = 'dispatcher';
/** Transitions kept besides the first; a provider may ask one notification to wait any number of times. */
const KEPT_TRANSITIONS = 200;

export const transition = (from: State, to: State, reason: unknown): mongo.Document => ({
  from,
  to,
  at: NOW,
  actor: DISPATCHER,
  reason,
});

/** What differs from one settlement to the next, as it stands in the update. */
interface Settled {
  token: string;
  deliveries: Settlement['deliveries'];
  attempt: number;
  place?: Date;
  lastError?: NonNullable<Settlement['lastError']>;
  reason: string | null;
  hasSent: boolean;
  waitMs?: number;
  waitReason?: string;
  waitUntil?: Date;
}

/** What is the same for all that settle in one write. */
export interface Ending {
  state: Settlement['state'];
  status: Status;
  owedByClaim: boolean;
}

const settledOf = (settlement: Settlement): Settled => ({
  token: settlement.token,
  deliveries: settlement.deliveries,
  attempt: settlement.attempt,
  reason: settlement.reason,
  hasSent: settlement.deliveries.some(({ status }) => status === 'sent'),
  ...(settlement.place === null ? {} : { place: settlement.place }),
  ...(settlement.lastError === null ? {} : { lastError: settlement.lastError }),
  ...(settlement.wait === null ? {} : { waitMs: settlement.wait.ms, waitReason: settlement.wait.reason }),
  ...(settlement.wait?.until == null ? {} : { waitUntil: settlement.wait.until }),
});

const ended = ({ state, status, owedByClaim }: Ending): mongo.Document => ({
  history: append('$history', transition('sending', state, '$_settled.reason')),
  waiting: state === 'uncertain' ? { reason: 'resolution', until: { $literal: null } } : REMOVE,
  nextAttemptAt: REMOVE,
  groupDueAt: NOW_IN_FALLBACK,
  ...(status === 'failed' ? { failedAt: NOW } : {}),
  outbox: owedByClaim
    ? REMOVE
    : {
        at: later(NOW, RELAY_GRACE_MS),
        wake: { $literal: false },
        status: { $literal: true },
        previousStatus: 'pending',
        deadLetter: { $literal: state === 'failed' },
      },
});

/** The first transition says how it came to be; of the others the latest count. */
const capped = (history: mongo.Document): mongo.Document => ({
  $let: {
    vars: { all: history },
    in: {
      $cond: [
        { $gt: [{ $size: '$$all' }, KEPT_TRANSITIONS + 1] },
        { $concatArrays: [{ $slice: ['$$all', 1] }, { $slice: ['$$all', -KEPT_TRANSITIONS] }] },
        '$$all',
      ],
    },
  },
});

const waits = (): mongo.Document => {
  const due = { $ifNull: ['$_settled.waitUntil', later(NOW, '$_settled.waitMs')] };
  return {
    history: capped(append('$history', transition('sending', 'approved', '$_settled.reason'))),
    waiting: { reason: '$_settled.waitReason', until: due },
    nextAttemptAt: due,
    outbox: {
      // The message that wakes it waits in the broker: only when that is late was it lost.
      at: later(due, RELAY_GRACE_MS),
      wake: { $literal: true },
      // A status that nobody was told yet.
      status: { $ifNull: ['$outbox.status', false] },
      previousStatus: { $ifNull: ['$outbox.previousStatus', null] },
      deadLetter: { $literal: false },
    },
  };
};

/** The filter asks for a lease of any of these; where they are of several claims, each has to be under its own. */
const onlyUnderItsLease = (
  settlements: ReadonlyMap<Types.ObjectId, Settlement>,
  fields: mongo.Document,
): mongo.Document[] => {
  const tokens = new Set([...settlements.values()].map(({ token }) => token));
  return tokens.size <= 1 ? [{ $set: fields }] : setIf({ $eq: ['$lease.token', '$_settled.token'] }, fields);
};

/** The update of all that settle to one state at once, each with its own results. */
export const settleUpdate = (
  settlements: ReadonlyMap<Types.ObjectId, Settlement>,
  ending: Ending,
): mongo.Document[] => [
  { $set: { _settled: byId(new Map([...settlements].map(([id, settlement]) => [id, settledOf(settlement)]))) } },
  ...onlyUnderItsLease(settlements, {
    state: ending.state,
    status: ending.status,
    version: increment('$version'),
    attempt: '$_settled.attempt',
    claims: 0,
    alone: { $literal: false },
    deliveries: '$_settled.deliveries',
    place: optional('$_settled.place'),
    lastError: optional('$_settled.lastError'),
    // The first success stays, also when another delivery is still open or failed later.
    sentAt: { $cond: ['$_settled.hasSent', { $ifNull: ['$sentAt', NOW] }, optional('$sentAt')] },
    updatedAt: NOW,
    ...(ending.state === 'approved' ? waits() : ended(ending)),
  }),
  { $unset: '_settled' },
];
