import { setTimeout as pause } from 'node:timers/promises';
import type { NotificationBody, NotificationItem } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import type { Status } from '#contracts/vocabulary';
import type { Api } from './api.js';
import { type Colour, facts, table, type Terminal } from './terminal.js';

const COLOURS: Readonly<Record<Status, Colour>> = { sent: 'green', failed: 'red', pending: 'yellow', cancelled: 'dim' };

type Told = Pick<NotificationItem, 'status' | 'state' | 'waiting' | 'lastError'>;

/** Where a notification stands, in a few words. */
export const standing = (terminal: Terminal, { status, state, waiting, lastError }: Told): string => {
  const until = waiting?.until == null ? '' : ` until ${waiting.until}`;
  const why =
    waiting !== null
      ? ` (waits for ${waiting.reason}${until})`
      : status === 'failed' && lastError !== null
        ? ` (${lastError.code}: ${lastError.message})`
        : '';
  return `${terminal.paint(COLOURS[status], state)}${why}`;
};

const SECONDS_LENGTH = 'yyyy-mm-ddThh:mm:ss'.length;
export const moment = (time: string | null): string =>
  time === null ? '-' : `${time.slice(0, SECONDS_LENGTH).replace('T', ' ')} UTC`;

/** All of one notification. */
export const notificationLines = (terminal: Terminal, one: NotificationBody): string[] => [
  ...facts([
    ['id', one.id],
    ['service', one.serviceName],
    ['channel', one.channel],
    ['type', `${one.type}, priority ${one.priority}`],
    ['user', one.userId ?? '-'],
    ['reference', one.reference ?? '-'],
    ['state', standing(terminal, one)],
    ['title', one.title ?? '-'],
    ['created', moment(one.createdAt)],
    ['sent', moment(one.sentAt)],
  ]),
  ...(one.deliveries.length === 0 ? [] : ['deliveries']),
  ...one.deliveries.flatMap(({ target, status, provider, attempts }) => [
    `  ${target}  ${status}${provider === null ? '' : ` by ${provider}`}`,
    ...attempts.map(
      ({ number, at, outcome, code, provider: by }) =>
        `    ${number}. ${moment(at)}  ${by}  ${outcome}${code === null ? '' : ` (${code})`}`,
    ),
  ]),
  'history',
  ...one.history.map(
    ({ from, to, at, actor, reason }) =>
      `  ${moment(at)}  ${from ?? 'new'} -> ${to}  by ${actor}${reason === null ? '' : `: ${reason}`}`,
  ),
];

/** A page of notifications. */
export const notificationTable = (terminal: Terminal, items: readonly NotificationItem[]): string[] =>
  items.length === 0
    ? ['none']
    : table([
        ['id', 'created', 'service', 'channel', 'type', 'state'],
        ...items.map((one) => [
          one.id,
          moment(one.createdAt),
          one.serviceName,
          one.channel,
          one.type,
          standing(terminal, one),
        ]),
      ]);

/** How to see the page that follows, where there is one. */
export const nextPage = ({ nextCursor }: { nextCursor: string | null }): string[] =>
  nextCursor === null ? [] : [`more: --cursor ${nextCursor}`];

const POLL_MS = 100;

/** Asks until a notification is as wanted, or the time is up; answers how it stood at last. */
export const untilSeen = async (
  api: Api,
  id: string,
  seconds: number,
  wanted: (one: NotificationBody) => boolean,
): Promise<NotificationBody> => {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const one = await api.call(OPERATIONS.getNotification, { params: { id } });
    if (wanted(one) || performance.now() >= end) return one;
    await pause(POLL_MS);
  }
};

/** Nothing more will come of it without a person or a later time. */
export const isSettled = ({ final, status, state }: NotificationBody): boolean =>
  final || status !== 'pending' || state === 'draft' || state === 'uncertain';
