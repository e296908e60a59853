import type { CreateNotification } from '#contracts/http/notification';
import { DEFAULT_LOCALE } from '#contracts/http/template-fields';
import type { FieldError } from '#contracts/problems';
import type { Lane, Priority } from '#contracts/vocabulary';
import { MAX_SEND_AT_DAYS } from '#contracts/vocabulary';
import { CHANNEL_RULES } from '#domain/channels/channels';
import { smsParts } from '#domain/channels/sms-text';
import { atOnce } from '#domain/change';
import type { Notification, TemplateUsed } from '#domain/notification';
import { ValidationFailed } from '#domain/errors';
import { jsonPointer } from './field-errors.js';

/** One request at the door, from whichever side. */
export interface AcceptCommand {
  input: CreateNotification;
  /** The fields as the caller sent them: what an idempotency key is compared by. */
  raw: unknown;
  idempotencyKey: string | null;
  traceparent: string | null;
  /** Where the caller says nothing: HTTP fails, AMQP and bulk wait. */
  defaultOnLimit: 'fail' | 'wait';
  /** Where the input has the texts of a template, and does not name it. */
  madeFrom?: TemplateUsed;
}

/** `sendAt` this far in the past still means now, in milliseconds. */
const SEND_AT_LATENESS_MS = 5 * 60_000;

const problem = (path: string, code: string, message: string): FieldError => ({
  in: 'body',
  field: path,
  code,
  message,
});

const targetsOf = (
  input: CreateNotification,
  country: string | undefined,
): { targets: string[] | null; errors: FieldError[] } => {
  if (input.to === undefined) return { targets: null, errors: [] };
  const rules = CHANNEL_RULES[input.channel];
  const given = typeof input.to === 'string' ? [input.to] : input.to;
  const errors = given.flatMap((target, index) => {
    const wrong = rules.checkTarget(target, country);
    return wrong === null
      ? []
      : [problem(typeof input.to === 'string' ? '/to' : `/to/${index}`, wrong.code, wrong.message)];
  });
  return {
    targets: errors.length > 0 ? null : [...new Set(given.map((target) => rules.normaliseTarget(target, country)))],
    errors,
  };
};

const timeErrors = (input: CreateNotification, now: Date): FieldError[] => {
  const errors: FieldError[] = [];
  const sendAt = input.sendAt == null ? null : Date.parse(input.sendAt);
  const expiresAt = input.expiresAt == null ? null : Date.parse(input.expiresAt);
  if (sendAt !== null && sendAt < now.getTime() - SEND_AT_LATENESS_MS)
    errors.push(problem('/sendAt', 'in_the_past', 'must not be more than 5 minutes in the past'));
  if (sendAt !== null && sendAt > now.getTime() + MAX_SEND_AT_DAYS * 86_400_000)
    errors.push(problem('/sendAt', 'too_far_ahead', `must be at most ${MAX_SEND_AT_DAYS} days ahead`));
  if (expiresAt !== null && expiresAt <= Math.max(now.getTime(), sendAt ?? 0))
    errors.push(problem('/expiresAt', 'in_the_past', 'must be in the future, and after sendAt'));
  return errors;
};

const priorityOf = (input: CreateNotification): Priority =>
  input.priority ?? (input.type === 'alert' ? 'high' : 'normal');

const laneOf = (priority: Priority, inBulk: boolean): Lane => {
  if (priority === 'high') return 'urgent';
  return inBulk || priority === 'low' ? 'bulk' : 'normal';
};

/** As it was found: see `withTexts`. */
const templateOf = ({ template, locale }: CreateNotification): TemplateUsed | null =>
  template?.version === undefined
    ? null
    : { name: template.name, version: template.version, locale: locale ?? DEFAULT_LOCALE };

export interface Origin {
  id: string;
  serviceName: string;
  actor: string;
  owner: string;
  bulk: { id: string; index: number } | null;
  /** Of phone numbers without one (`CountryOf`). */
  country: string | undefined;
}

/**
 * The notification that a command asks for, before limits.
 * @throws ValidationFailed with every field that the channel's rules or the clock refuse
 */
export const draftNotification = (command: AcceptCommand, origin: Origin, now: Date): Notification => {
  const { input } = command;
  const { targets, errors } = targetsOf(input, origin.country);
  const { body = '' } = input;
  if (body === '') errors.push(problem('/body', 'required', 'is required'));
  const content = CHANNEL_RULES[input.channel].checkContent({
    title: input.title ?? null,
    body,
    html: input.html ?? null,
    data: input.data,
  });
  errors.push(
    ...content.map((wrong) =>
      input.template === undefined || wrong.path[0] === 'data'
        ? problem(jsonPointer(wrong.path), wrong.code, wrong.message)
        : problem('/template', wrong.code, `makes a ${wrong.path.join('.')} that ${wrong.message}`),
    ),
    ...timeErrors(input, now),
  );
  if (errors.length > 0) throw new ValidationFailed(errors);

  const sendAt = input.sendAt == null ? null : new Date(input.sendAt);
  const priority = priorityOf(input);
  const scheduled = !input.draft && sendAt !== null && sendAt > now;
  return {
    id: origin.id,
    serviceName: origin.serviceName,
    tenantId: input.tenantId ?? null,
    userId: input.userId ?? null,
    reference: input.reference ?? null,
    channel: input.channel,
    type: input.type,
    priority,
    lane: laneOf(priority, origin.bulk !== null),
    groupId: null,
    group: null,
    bulkId: origin.bulk?.id ?? null,
    bulkIndex: origin.bulk?.index ?? null,
    title: input.title ?? null,
    body,
    html: input.html ?? null,
    template: command.madeFrom ?? templateOf(input),
    data: input.data,
    metadata: input.metadata,
    sms: input.channel === 'sms' ? smsParts(body) : null,
    atMostOnce: input.atMostOnce,
    onLimit: input.onLimit ?? command.defaultOnLimit,
    sendAt,
    expiresAt: input.expiresAt == null ? null : new Date(input.expiresAt),
    place: null,
    dueAt: scheduled ? sendAt : null,
    state: input.draft ? 'draft' : 'approved',
    version: 1,
    waiting: input.draft
      ? { reason: 'approval', until: null }
      : scheduled
        ? { reason: 'scheduled', until: sendAt }
        : null,
    round: 1,
    attempt: 0,
    claims: 0,
    alone: false,
    nextAttemptAt: input.draft ? null : scheduled ? sendAt : atOnce(now),
    lease: null,
    groupDueAt: null,
    retryForbidden: false,
    to: targets,
    deliveries: [],
    createdAt: now,
    updatedAt: now,
    approvedAt: input.draft ? null : now,
    sentAt: null,
    deliveredAt: null,
    openedAt: null,
    readAt: null,
    failedAt: null,
    lastError: null,
    history: [{ from: null, to: input.draft ? 'draft' : 'approved', at: now, actor: origin.actor, reason: null }],
    traceparent: command.traceparent,
    owner: origin.owner,
  };
};

/** Moves a notification to the time from which a limit has a place for it. */
export const moveTo = (notification: Notification, at: Date): Notification => ({
  ...notification,
  dueAt: at,
  nextAttemptAt: at,
  waiting: { reason: 'rate_limit', until: at },
});
