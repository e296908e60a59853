import type { ServerResponse } from 'node:http';
import type { Fault } from '../faults.js';
import { retryAfterHeader } from '../http-moment.js';
import { answer, answerJson } from '../http.js';

/** `ok` and Slack's word, with 200 unless it is about the rate. https://docs.slack.dev/apis/web-api/#responses */
export const answerApiError = (response: ServerResponse, word: string, headers: object = {}): void =>
  answerJson(response, word === 'ratelimited' ? 429 : 200, { ok: false, error: word }, { ...headers });

/**
 * The words of incoming webhooks, by status.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
const WEBHOOK_STATUS: Readonly<Record<string, number>> = {
  invalid_payload: 400,
  invalid_blocks: 400,
  no_text: 400,
  user_not_found: 400,
  action_prohibited: 403,
  invalid_token: 403,
  posting_to_general_channel_denied: 403,
  channel_not_found: 404,
  no_service: 404,
  no_active_hooks: 404,
  no_team: 404,
  channel_is_archived: 410,
  rate_limited: 429,
  rollup_error: 500,
};

export const answerWebhookError = (response: ServerResponse, word: string, headers: object = {}): void =>
  answerText(response, WEBHOOK_STATUS[word] ?? 400, word, headers);

const answerText = (response: ServerResponse, status: number, text: string, headers: object): void =>
  answer(response, status, 'text/plain; charset=utf-8', text, { ...headers });

/** What a bare status says where Slack itself, and not a front end, answers it. */
const WORDS: Readonly<Record<number, string>> = { 429: 'ratelimited', 500: 'internal_error' };

/** Answers as a fault of kind `status` asks: by `errorCode`, else by `status` as Slack or its front end would. */
export const answerFault = (response: ServerResponse, way: 'api' | 'webhook', fault: Fault): void => {
  const headers = retryAfterHeader(fault);
  const { errorCode, status = 500 } = fault;
  if (errorCode !== undefined) (way === 'api' ? answerApiError : answerWebhookError)(response, errorCode, headers);
  else if (way === 'webhook') answerText(response, status, status === 429 ? 'rate_limited' : 'error', headers);
  else if (WORDS[status] !== undefined) answerJson(response, status, { ok: false, error: WORDS[status] }, headers);
  else answer(response, status, 'text/html; charset=utf-8', `<html><title>Error ${status}</title></html>`, headers);
};
