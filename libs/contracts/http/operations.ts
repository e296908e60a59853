import { z } from 'zod';
import type { Scope } from '../vocabulary.js';
import { BulkBody, CreateBulk, Refusal } from './bulk.js';
import { DeadLetterBody, DeadLetterItem, ListDeadLettersQuery, Replayed, ReplayDeadLetters } from './dead-letters.js';
import { GROUP_OPERATIONS } from './group-operations.js';
import { INBOX_OPERATIONS } from './inbox-operations.js';
import { CreatedKey, CreateKey, KeyBody, ListKeysQuery, RotateKey } from './keys.js';
import { ListNotificationsQuery, listOf, Paging } from './lists.js';
import { MAINTENANCE_OPERATIONS } from './maintenance.js';
import {
  ActionNote,
  ApprovedNotifications,
  ApproveNotifications,
  CreateNotification,
  NotificationBody,
  NotificationItem,
  RejectNotification,
  ResolveNotification,
} from './notification.js';
import { created, noContent, type Operation } from './operation.js';
import { Id } from './primitives.js';
import { PROVIDER_OPERATIONS } from './provider-operations.js';
import { OrangeReceipt, OrangeReceiptQuery, TwilioReceipt, TwilioReceiptQuery } from './receipts.js';
import { CreatedDevice, CreateDevice, DevicePath, PutRecipient, RecipientBody, RecipientPath } from './recipients.js';
import { StatisticsBody, StatisticsQuery, UnreadQuery } from './statistics.js';
import { TEMPLATE_OPERATIONS } from './template-operations.js';

export type { Operation } from './operation.js';

const operations = <T extends Record<string, Omit<Operation, 'id'>>>(
  table: T,
): { [K in keyof T]: T[K] & { id: string } } =>
  Object.fromEntries(Object.entries(table).map(([id, operation]) => [id, { id, ...operation }])) as {
    [K in keyof T]: T[K] & { id: string };
  };

const IdPath = z.strictObject({ id: Id });
const shown = { status: 200, body: NotificationBody, description: 'The notification as it stands now.' } as const;
const action = (path: string, summary: string, scopes: readonly Scope[]) =>
  ({
    tag: 'notifications',
    method: 'POST',
    path: `/api/notifications/:id/${path}`,
    summary,
    scopes,
    params: IdPath,
    body: ActionNote,
    bodyOptional: true,
    answer: shown,
    problems: [
      'not_found',
      'invalid_transition',
      'conflict',
      'validation_failed',
      'idempotency_key_in_use',
      'idempotency_key_reused',
    ],
  }) as const satisfies Omit<Operation, 'id'>;

const receipt = {
  tag: 'receipts',
  method: 'POST',
  scopes: [],
  signed: true,
  answer: { status: 204, description: 'Taken, or of no consequence.' },
  problems: ['invalid_signature', 'not_found', 'conflict'],
} as const;

const MEBIBYTE = 1024 * 1024;

export const OPERATIONS = operations({
  ...TEMPLATE_OPERATIONS,
  createNotification: {
    tag: 'notifications',
    method: 'POST',
    path: '/api/notifications',
    summary: 'Send one notification to one recipient',
    scopes: ['notifications:send'],
    body: CreateNotification,
    answer: { status: 202, body: NotificationBody, description: 'Durable; it will be delivered.' },
    problems: [...created, 'no_target', 'payload_too_large', 'unsupported_media_type'],
  },
  listNotifications: {
    tag: 'notifications',
    method: 'GET',
    path: '/api/notifications',
    summary: 'List notifications, newest first',
    scopes: ['notifications:read'],
    query: ListNotificationsQuery,
    answer: { status: 200, body: listOf(NotificationItem), description: 'One page.' },
    problems: ['invalid_query', 'invalid_cursor'],
  },
  getStatistics: {
    tag: 'notifications',
    method: 'GET',
    path: '/api/notifications/stats',
    summary: 'Totals, success rate and mean processing time',
    scopes: ['notifications:read'],
    query: StatisticsQuery,
    answer: { status: 200, body: StatisticsBody, description: 'Figures of the period.' },
    problems: ['invalid_query'],
  },
  createBulk: {
    tag: 'bulks',
    method: 'POST',
    path: '/api/notifications/bulk',
    summary: 'Send to many recipients',
    scopes: ['notifications:send'],
    body: CreateBulk,
    bodyLimit: 16 * MEBIBYTE,
    answer: { status: 202, body: BulkBody, description: 'Every accepted item is durable.' },
    problems: [...created, 'payload_too_large', 'unsupported_media_type'],
  },
  getNotification: {
    tag: 'notifications',
    method: 'GET',
    path: '/api/notifications/:id',
    summary: 'Show one notification, with its deliveries and history',
    scopes: ['notifications:read'],
    params: IdPath,
    answer: shown,
    problems: ['not_found'],
  },
  approveNotification: {
    ...action('approve', 'Approve a draft', ['notifications:approve']),
    problems: ['not_found', 'invalid_transition', 'approver_is_author', 'conflict', 'no_target', ...created],
  },
  approveNotifications: {
    tag: 'notifications',
    method: 'POST',
    path: '/api/notifications/approve',
    summary: 'Approve many drafts, each by itself',
    scopes: ['notifications:approve'],
    body: ApproveNotifications,
    answer: { status: 200, body: ApprovedNotifications, description: 'One result for each.' },
    problems: [...created],
  },
  rejectNotification: {
    ...action('reject', 'Reject a draft', ['notifications:approve']),
    body: RejectNotification,
    bodyOptional: false,
  },
  cancelNotification: action('cancel', 'Cancel what has not been sent, or forbid the automatic retry of a failed one', [
    'notifications:send',
    'notifications:manage',
  ]),
  retryNotification: action('retry', 'Send a failed one again', ['notifications:manage']),
  resolveNotification: {
    ...action('resolve', 'Decide what became of an uncertain one', ['notifications:manage']),
    body: ResolveNotification,
    bodyOptional: false,
  },
  markNotificationRead: action('read', 'Mark as read', ['notifications:mark']),
  getBulk: {
    tag: 'bulks',
    method: 'GET',
    path: '/api/bulks/:id',
    summary: 'Show a bulk and its progress',
    scopes: ['notifications:read'],
    params: IdPath,
    answer: { status: 200, body: BulkBody, description: 'The bulk as it stands now.' },
    problems: ['not_found'],
  },
  listBulkRefusals: {
    tag: 'bulks',
    method: 'GET',
    path: '/api/bulks/:id/refused',
    summary: 'List the refused items of a bulk',
    scopes: ['notifications:read'],
    params: IdPath,
    query: z.strictObject({ ...Paging }),
    answer: { status: 200, body: listOf(Refusal), description: 'One page, by index.' },
    problems: ['not_found', 'invalid_query', 'invalid_cursor'],
  },
  cancelBulk: {
    tag: 'bulks',
    method: 'POST',
    path: '/api/bulks/:id/cancel',
    summary: 'Cancel what a bulk has not sent',
    scopes: ['notifications:send', 'notifications:manage'],
    params: IdPath,
    body: ActionNote,
    bodyOptional: true,
    answer: { status: 200, body: BulkBody, description: 'Cancelling; nothing more of it is claimed.' },
    problems: ['not_found', 'invalid_transition', ...created],
  },
  putRecipient: {
    tag: 'recipients',
    method: 'PUT',
    path: '/api/services/:serviceName/recipients/:userId',
    summary: 'Create or replace the profile of a recipient; devices stay',
    scopes: ['recipients:manage'],
    params: RecipientPath,
    body: PutRecipient,
    answer: { status: 200, body: RecipientBody, description: 'The recipient.' },
    problems: ['not_found', 'validation_failed'],
  },
  getRecipient: {
    tag: 'recipients',
    method: 'GET',
    path: '/api/services/:serviceName/recipients/:userId',
    summary: 'Show a recipient',
    scopes: ['recipients:read', 'recipients:manage'],
    params: RecipientPath,
    answer: { status: 200, body: RecipientBody, description: 'The recipient.' },
    problems: ['not_found'],
  },
  deleteRecipient: {
    tag: 'recipients',
    method: 'DELETE',
    path: '/api/services/:serviceName/recipients/:userId',
    summary: 'Delete a recipient with its devices',
    scopes: ['recipients:manage'],
    params: RecipientPath,
    answer: noContent,
    problems: ['not_found'],
  },
  createDevice: {
    tag: 'recipients',
    method: 'POST',
    path: '/api/services/:serviceName/recipients/:userId/devices',
    summary: 'Register a device; the same token twice is one device',
    scopes: ['recipients:manage'],
    params: RecipientPath,
    body: CreateDevice,
    answer: { status: 201, body: CreatedDevice, description: 'The id of the device.' },
    problems: ['not_found', ...created],
  },
  deleteDevice: {
    tag: 'recipients',
    method: 'DELETE',
    path: '/api/services/:serviceName/recipients/:userId/devices/:deviceId',
    summary: 'Remove a device',
    scopes: ['recipients:manage'],
    params: DevicePath,
    answer: noContent,
    problems: ['not_found'],
  },
  listUnread: {
    tag: 'recipients',
    method: 'GET',
    path: '/api/services/:serviceName/recipients/:userId/notifications/unread',
    summary: 'Sent notifications that the recipient has not read',
    scopes: ['notifications:read'],
    params: RecipientPath,
    query: UnreadQuery,
    answer: { status: 200, body: z.object({ data: z.array(NotificationItem) }), description: 'Newest first.' },
    problems: ['not_found', 'invalid_query'],
  },
  listDeadLetters: {
    tag: 'dead letters',
    method: 'GET',
    path: '/api/dead-letters',
    summary: 'List dead letters, newest first',
    scopes: ['dead-letters:read', 'dead-letters:manage'],
    query: ListDeadLettersQuery,
    answer: { status: 200, body: listOf(DeadLetterItem), description: 'One page.' },
    problems: ['invalid_query', 'invalid_cursor'],
  },
  replayDeadLetters: {
    tag: 'dead letters',
    method: 'POST',
    path: '/api/dead-letters/replay',
    summary: 'Replay all dead letters that a filter matches',
    scopes: ['dead-letters:manage'],
    body: ReplayDeadLetters,
    answer: { status: 202, body: Replayed, description: 'How many matched, and how many were replayed.' },
    problems: [...created],
  },
  getDeadLetter: {
    tag: 'dead letters',
    method: 'GET',
    path: '/api/dead-letters/:id',
    summary: 'Show one dead letter, with the full history of its notification',
    scopes: ['dead-letters:read', 'dead-letters:manage'],
    params: IdPath,
    answer: { status: 200, body: DeadLetterBody, description: 'The dead letter.' },
    problems: ['not_found'],
  },
  replayDeadLetter: {
    tag: 'dead letters',
    method: 'POST',
    path: '/api/dead-letters/:id/replay',
    summary: 'Replay one dead letter',
    scopes: ['dead-letters:manage'],
    params: IdPath,
    body: ActionNote,
    bodyOptional: true,
    answer: { status: 200, body: DeadLetterBody, description: 'The dead letter as it stands now.' },
    problems: ['not_found', 'invalid_transition', 'conflict', ...created],
  },
  dropDeadLetter: {
    tag: 'dead letters',
    method: 'DELETE',
    path: '/api/dead-letters/:id',
    summary: 'Drop a dead letter: it is never retried by itself',
    scopes: ['dead-letters:manage'],
    params: IdPath,
    answer: noContent,
    problems: ['not_found', 'invalid_transition'],
  },
  takeOrangeReceipt: {
    ...receipt,
    path: '/api/receipts/orange',
    summary: "Orange's delivery receipt of an SMS",
    query: OrangeReceiptQuery,
    body: OrangeReceipt,
  },
  takeTwilioReceipt: {
    ...receipt,
    path: '/api/receipts/twilio',
    summary: "Twilio's status callback of an SMS, with X-Twilio-Signature",
    query: TwilioReceiptQuery,
    body: TwilioReceipt,
    form: true,
  },
  createKey: {
    tag: 'keys',
    method: 'POST',
    path: '/api/keys',
    summary: 'Create an API key',
    scopes: ['keys:manage'],
    body: CreateKey,
    answer: { status: 201, body: CreatedKey, description: 'With the key itself, shown this once.' },
    problems: [...created],
  },
  listKeys: {
    tag: 'keys',
    method: 'GET',
    path: '/api/keys',
    summary: 'List API keys',
    scopes: ['keys:manage'],
    query: ListKeysQuery,
    answer: { status: 200, body: listOf(KeyBody), description: 'One page.' },
    problems: ['invalid_query', 'invalid_cursor'],
  },
  rotateKey: {
    tag: 'keys',
    method: 'POST',
    path: '/api/keys/:id/rotate',
    summary: 'Make a successor; the old key stays valid for a while',
    scopes: ['keys:manage'],
    params: IdPath,
    body: RotateKey,
    bodyOptional: true,
    answer: { status: 201, body: CreatedKey, description: 'The successor, of the same owner.' },
    problems: ['not_found', 'invalid_transition', ...created],
  },
  revokeKey: {
    tag: 'keys',
    method: 'DELETE',
    path: '/api/keys/:id',
    summary: 'Revoke a key at once',
    scopes: ['keys:manage'],
    params: IdPath,
    answer: noContent,
    problems: ['not_found'],
  },
  ...PROVIDER_OPERATIONS,
  ...INBOX_OPERATIONS,
  ...MAINTENANCE_OPERATIONS,
  ...GROUP_OPERATIONS,
});

export type OperationId = keyof typeof OPERATIONS;
