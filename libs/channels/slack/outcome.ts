import type { HttpResult } from '#egress/http-client';
import type { Outcome } from '#domain/outcome';
import {
  connectionLost,
  credentialsRefused,
  gaveUp,
  permanent,
  rateLimited,
  unavailable,
  unreachable,
} from '../outcomes.js';
import { retryAfterMs } from '../retry-after.js';

const SLACK = 'slack';

type Verdict = (status: string) => Outcome;

const recipient =
  (code: string, message: string): Verdict =>
  (status) =>
    permanent(SLACK, 'recipient', code, message, status);
const content: Verdict = (status) =>
  permanent(SLACK, 'content', 'content_refused', 'Slack refused the message', status);
const credentials: Verdict = (status) => credentialsRefused(SLACK, status);
const passing: Verdict = (status) => unavailable(SLACK, status);

/**
 * Slack's own words. No target is ever gone for good: an archived channel can come back, and a channel that is not found
 * may be a private one that the bot was not yet invited to.
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
const VERDICTS: readonly (readonly [verdict: Verdict, words: string])[] = [
  [recipient('channel_not_found', 'Slack shows the bot no such channel'), 'channel_not_found'],
  [recipient('channel_archived', 'the channel is archived'), 'is_archived channel_is_archived'],
  [recipient('not_in_channel', 'the bot is not in the channel'), 'not_in_channel'],
  [recipient('user_not_found', 'Slack knows no such person'), 'user_not_found user_not_visible user_disabled'],
  [
    recipient('posting_refused', 'Slack does not let this be posted there'),
    `cannot_dm_bot channel_type_not_supported messages_tab_disabled restricted_action
     restricted_action_read_only_channel restricted_action_thread_only_channel restricted_action_non_threadable_channel
     restricted_action_thread_locked posting_to_general_channel_denied action_prohibited
     as_user_not_supported external_channel_migrating team_not_found`,
  ],
  [
    content,
    `msg_too_long msg_blocks_too_long no_text invalid_blocks invalid_blocks_format invalid_payload
     missing_text_or_fallback_or_attachments invalid_metadata_format invalid_metadata_schema metadata_too_large
     invalid_arguments invalid_arg_name invalid_array_arg`,
  ],
  [
    credentials,
    `invalid_auth not_authed token_revoked token_expired account_inactive missing_scope no_permission
     not_allowed_token_type access_denied accesslimited ekm_access_denied org_login_required two_factor_setup_required
     enterprise_is_restricted team_access_not_granted metadata_must_be_sent_from_app
     invalid_token no_service no_service_id no_active_hooks no_team team_disabled`,
  ],
  [(status) => rateLimited(SLACK, status, null), 'ratelimited rate_limited message_limit_exceeded'],
  // Slack does not exclude that some of it was done. So it is with every answer of the 500s, and of every provider.
  [passing, 'internal_error fatal_error service_unavailable request_timeout team_added_to_org rollup_error'],
];
const BY_WORD: ReadonlyMap<string, Verdict> = new Map(
  VERDICTS.flatMap(([verdict, words]) => words.split(/\s+/).map((word) => [word, verdict] as const)),
);

/** For answers without a word that is known, such as those of a front end or a proxy. */
const byStatus = (status: number): Outcome => {
  const text = String(status);
  if (status === 401 || status === 403) return credentials(text);
  if (status === 408) return passing(text);
  return permanent(SLACK, 'provider', 'unexpected_answer', 'Slack answered what is not known here', text);
};

const answered = (
  { status, headers }: HttpResult & { kind: 'answered' },
  { word, messageId }: SlackAnswer,
  now: Date,
): Outcome => {
  const text = String(status);
  const retryAfter = retryAfterMs(headers['retry-after'], now);
  if (status === 429) return rateLimited(SLACK, text, retryAfter);
  if (status >= 500) return unavailable(SLACK, text, retryAfter);
  if (word === null) return { kind: 'sent', provider: SLACK, providerMessageId: messageId, providerStatus: text };
  return BY_WORD.get(word)?.(word) ?? byStatus(status);
};

/** What the library read in an answer. */
export interface SlackAnswer {
  /** Slack's word for why it refused; empty where there was none to read. Null where it took the message. */
  word: string | null;
  /** Where Slack tells one. */
  messageId: string | null;
}

/** What became of one message, from what was seen of its request and from what the library read in the answer. */
export const slackOutcome = (result: HttpResult, answer: SlackAnswer, now: Date): Outcome => {
  if (result.kind === 'answered') return answered(result, answer, now);
  switch (result.reason) {
    case 'timeout':
      return gaveUp(SLACK, 'timeout', result.written);
    case 'aborted':
      return gaveUp(SLACK, 'lease_ended', result.written);
    case 'unreachable':
    case 'tls':
    case 'address_not_allowed':
      return unreachable(SLACK);
    case 'broken':
      return connectionLost(SLACK, result.written);
  }
};
