/** The words of the platform, one spelling each across code, wire, database and docs. Values are released: only add. */

export const CHANNELS = ['push', 'email', 'sms', 'webhook', 'slack', 'in-app'] as const;
export type Channel = (typeof CHANNELS)[number];

export const TYPES = ['alert', 'reminder', 'info'] as const;
export type NotificationType = (typeof TYPES)[number];

export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Which queue of its channel a notification takes, so that a campaign delays neither an alert nor a password reset. */
export const LANES = ['urgent', 'normal', 'bulk'] as const;
export type Lane = (typeof LANES)[number];

/** Where a notification stands, exactly. The transitions between them are in `#domain/states`. */
export const STATES = [
  'draft',
  'approved',
  'sending',
  'sent',
  'failed',
  'uncertain',
  'rejected',
  'cancelled',
  'expired',
] as const;
export type State = (typeof STATES)[number];

/** What most callers need to know of a state. */
export const STATUSES = ['pending', 'sent', 'failed', 'cancelled'] as const;
export type Status = (typeof STATUSES)[number];

export const WAITING_REASONS = [
  'approval',
  'scheduled',
  'rate_limit',
  'retry',
  'provider',
  'resolution',
  'fallback',
] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];

/** What is checked before an action; a refusal names the one that did not let it through. */
export const GUARDS = ['state', 'time', 'author', 'content', 'recipient', 'limit', 'retries'] as const;
export type Guard = (typeof GUARDS)[number];

export const DELIVERY_STATUSES = ['open', 'sent', 'failed', 'uncertain'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What became of one attempt to hand one delivery to a provider. */
export const OUTCOMES = [
  'sent',
  'permanent',
  'transient',
  'rate_limited',
  'credentials',
  'provider_down',
  'recipient_gone',
  'uncertain',
  /** Handed to nobody: no provider could be asked. Uses no attempt. */
  'held',
] as const;
export type OutcomeKind = (typeof OUTCOMES)[number];

/** Whose fault a failure is: decides who is alerted and whether trying again later can help. */
export const ERROR_CLASSES = [
  'provider',
  'credentials',
  'recipient',
  'content',
  'schema',
  'expired',
  'poison',
] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];

export const DEAD_LETTER_STATUSES = ['waiting', 'retried', 'resolved', 'archived', 'dropped'] as const;
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];

export const BULK_STATUSES = ['accepting', 'running', 'cancelling', 'cancelled', 'completed'] as const;
export type BulkStatus = (typeof BULK_STATUSES)[number];

/** How the notifications of a group go: each on its own, or the next only where the one before did not arrive. */
export const GROUP_MODES = ['all', 'fallback'] as const;
export type GroupMode = (typeof GROUP_MODES)[number];

/** Of a group as a whole; `partial`: with mode all, sent by some channels and not by others. */
export const GROUP_STATUSES = ['pending', 'sent', 'partial', 'failed', 'cancelled'] as const;
export type GroupStatus = (typeof GROUP_STATUSES)[number];

/** What another service may report of a notification that was sent. */
export const REPORT_STATUSES = ['delivered', 'opened', 'read', 'failed'] as const;

/** How the text of an SMS travels: 3GPP TS 23.038. */
export const SMS_ENCODINGS = ['gsm-7', 'ucs-2'] as const;
export type SmsEncoding = (typeof SMS_ENCODINGS)[number];

export const PLATFORMS = ['android', 'ios', 'web'] as const;
export type Platform = (typeof PLATFORMS)[number];

export const ON_LIMIT = ['fail', 'wait'] as const;
export type OnLimit = (typeof ON_LIMIT)[number];

/** What a key, or an AMQP user, may do. */
export const SCOPES = [
  'notifications:send',
  'notifications:read',
  'notifications:approve',
  'notifications:manage',
  'notifications:mark',
  'recipients:read',
  'recipients:manage',
  'dead-letters:read',
  'dead-letters:manage',
  'keys:manage',
  'templates:read',
  'templates:write',
  'inbox:tokens',
  'providers:read',
  'providers:manage',
  'limits:read',
  'limits:manage',
  'maintenance:run',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A draft can be changed; what was published once stays as it is. */
export const TEMPLATE_STATUSES = ['draft', 'published'] as const;
export type TemplateStatus = (typeof TEMPLATE_STATUSES)[number];

export const MAX_TARGETS = 20;
export const MAX_BULK = 10_000;
/** How far ahead `sendAt` may lie, in days; less than the 90 days after which a document is deleted. */
export const MAX_SEND_AT_DAYS = 60;

/** Who sends for each channel, by the names that outcomes, settings and limits know them by. */
export const PROVIDERS = {
  push: ['fcm'],
  email: ['smtp', 'smtp-backup'],
  sms: ['orange', 'twilio'],
  webhook: ['webhook'],
  slack: ['slack'],
  'in-app': ['in-app'],
} as const satisfies Record<Channel, readonly string[]>;

/** How a provider does, as its breaker sees it: `down` is not asked, `probing` is asked by one message at a time. */
export const PROVIDER_HEALTHS = ['up', 'probing', 'down'] as const;
export type ProviderHealth = (typeof PROVIDER_HEALTHS)[number];

/** How a limit counts: places that come back steadily, places for each period of the clock, or for each period before now. */
export const LIMIT_KINDS = ['token-bucket', 'fixed-window', 'sliding-window'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];
