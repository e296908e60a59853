import { UserId } from '#contracts/http/primitives';
import { htmlRefused, type ChannelRules, type Content, type FieldProblem } from './rules.js';

/** The inbox that Carillon itself keeps for each user: a target is the user's id. */

/** Bytes of title, body and data as JSON: each open stream of the user carries all of them. */
export const MAX_IN_APP_BYTES = 16 * 1024;

const encoder = new TextEncoder();

const checkSize = ({ title, body, data }: Content): FieldProblem[] =>
  encoder.encode(JSON.stringify({ title, body, data })).length <= MAX_IN_APP_BYTES
    ? []
    : [
        {
          path: [],
          code: 'payload_too_large',
          message: `title, body and data of an in-app notification must fit in ${MAX_IN_APP_BYTES / 1024} KiB together, as JSON`,
        },
      ];

export const inAppRules: ChannelRules = {
  channel: 'in-app',

  checkTarget: (target) =>
    UserId.safeParse(target).success
      ? null
      : {
          path: [],
          code: 'invalid_user_id',
          message: 'must be the id of a user: 1 to 128 of the characters A-Z a-z 0-9 . _ : @ -',
        },

  normaliseTarget: (target) => target,

  // An id may be an address too.
  maskTarget: (target) => `…${target.slice(target.length - Math.min(4, Math.floor(target.length / 3)))}`,

  checkContent: (content) => [...htmlRefused(content), ...checkSize(content)],
};
