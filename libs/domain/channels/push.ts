import { MAX_TARGETS } from '#contracts/vocabulary';
import { htmlRefused, type ChannelRules, type Content, type FieldProblem } from './rules.js';

/**
 * Push by Firebase Cloud Messaging.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
 */

/** Bytes of one message, notification and data together. https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type */
export const MAX_PUSH_BYTES = 4096;

const MAX_TOKEN_LENGTH = 4096;
/** FCM calls its tokens opaque; those it gives out are of base64url with `:`. Anything printable that needs no escaping passes. */
const TOKEN = /^[A-Za-z0-9_:.~%+/=-]+$/;

/** Ours, in every message: an app finds out by them which notification it shows. */
const OWN_KEYS: ReadonlySet<string> = new Set(['notificationId', 'deliveryId']);
/** FCM's: these words, and all that start with `google` or `gcm`. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(['from', 'message_type', 'collapse_key']);
const RESERVED_PREFIX = /^(google|gcm)/;

/** The part of an FCM message that the content decides, and that counts towards its size. */
export interface PushPayload {
  notification: { title?: string; body: string };
  data: Record<string, string>;
}

/** What is put on the wire for one delivery. FCM takes only strings in `data`: strings stay, all else becomes JSON. */
export const pushPayload = (
  { title, body, data }: Content,
  ids: { notificationId: string; deliveryId: string },
): PushPayload => {
  const strings: Record<string, string> = {};
  for (const [key, value] of Object.entries(data)) {
    strings[key] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  strings['notificationId'] = ids.notificationId;
  strings['deliveryId'] = ids.deliveryId;
  return { notification: title === null ? { body } : { title, body }, data: strings };
};

/** As long as ids can be, for they are not known yet when content is checked. */
const LONGEST_IDS = { notificationId: '0'.repeat(24), deliveryId: `${'0'.repeat(24)}-${MAX_TARGETS}` };

const encoder = new TextEncoder();

const checkData = (data: Content['data']): FieldProblem[] =>
  Object.keys(data)
    .filter((key) => OWN_KEYS.has(key) || RESERVED_WORDS.has(key) || RESERVED_PREFIX.test(key))
    .map((key) => ({
      path: ['data', key],
      code: 'reserved_key',
      message: OWN_KEYS.has(key) ? 'is a name that Carillon sets itself' : 'is a name that FCM keeps for itself',
    }));

const checkSize = (content: Content): FieldProblem[] =>
  encoder.encode(JSON.stringify(pushPayload(content, LONGEST_IDS))).length <= MAX_PUSH_BYTES
    ? []
    : [
        {
          path: [],
          code: 'payload_too_large',
          message: `title, body and data of a push must fit in ${MAX_PUSH_BYTES} bytes together, ids and JSON included`,
        },
      ];

export const pushRules: ChannelRules = {
  channel: 'push',

  checkTarget: (target) =>
    target.length <= MAX_TOKEN_LENGTH && TOKEN.test(target)
      ? null
      : { path: [], code: 'invalid_token', message: 'must be a registration token as FCM gave it to the device' },

  normaliseTarget: (target) => target,

  // A short one is no token of FCM's, and its last characters would be nearly all of it.
  maskTarget: (target) => `…${target.slice(target.length - Math.min(4, Math.floor(target.length / 3)))}`,

  checkContent: (content) => [...htmlRefused(content), ...checkData(content.data), ...checkSize(content)],
};
