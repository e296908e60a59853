import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome } from '#domain/outcome';
import type { TokenStore } from '#domain/token-store';
import type { HttpClient } from '#egress/http-client';
import { seal, unseal } from '#sealing/seal';
import type { Deadline } from '../../deadline.js';
import { credentialsRefused, gaveUp, rateLimited, unanswered, unavailable } from '../../outcomes.js';
import { retryAfterMs } from '../../retry-after.js';
import { at, jsonObject, MAX_ANSWER_BYTES, textAt } from '../answer.js';
import { ORANGE } from './outcome.js';

export interface AccessTokenOptions {
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  http: HttpClient;
  store: TokenStore;
  /** For one request for a token. */
  timeoutMs: number;
}

export type Got = { token: string } | { outcome: Outcome };

/** A token is renewed while it is still good for so long. */
export const RENEW_BEFORE_MS = 5 * 60_000;
/** Others wait for the one that renews it, and look so often; those that can go on with the old one have time. */
const LOOK_EVERY_MS = 50;
const LOOK_AGAIN_MS = 1_000;
/** After a refusal nobody here asks again for so long, however many messages are waiting. */
const PAUSE_AFTER_REFUSAL_MS = 1_000;

const PURPOSE = 'carillon access token';

interface Held {
  token: string;
  sealed: string;
  /** By the clock of `performance`. */
  endsAt: number;
}

/**
 * Tokens of OAuth 2, client credentials: one for all messages of all processes, renewed before it ends by exactly one.
 * https://developer.orange.com/tech_guide/2-legged-oauth/
 */
export class AccessTokens {
  private held: Held | null = null;
  private renewing: Promise<Got> | null = null;
  /** Until then somebody else is renewing it, by the clock of `performance`. */
  private lookAgainAt = 0;
  private refused: { outcome: Outcome; until: number } | null = null;
  /** Changes with the credentials, so that a token never outlives those it was given for. */
  private readonly name: string;

  constructor(private readonly options: AccessTokenOptions) {
    const { baseUrl, clientId, clientSecret } = options;
    const digest = createHash('sha256')
      .update(JSON.stringify([baseUrl, clientId, clientSecret]))
      .digest('hex');
    this.name = `${ORANGE}:${digest.slice(0, 16)}`;
  }

  /** A good token, or why there is none. */
  async get(deadline: Deadline): Promise<Got> {
    const leftMs = this.held === null ? 0 : this.held.endsAt - performance.now();
    const isFresh = leftMs > RENEW_BEFORE_MS || (leftMs > 0 && performance.now() < this.lookAgainAt);
    if (this.held !== null && isFresh) return { token: this.held.token };
    const { renewing } = this;
    const renewed = renewing ?? this.renew();
    // While it is good nobody waits for the next one.
    if (this.held !== null && leftMs > 0) return { token: this.held.token };
    return Promise.race([renewed, endOf(deadline)]);
  }

  /** Orange did not take it: nobody is to use it any more. */
  async reject(token: string): Promise<void> {
    const { held } = this;
    if (held?.token !== token) return;
    this.held = null;
    // Where the store is away, whoever takes it next is refused as we were, and rejects it again.
    await this.options.store.invalidate(this.name, held.sealed).catch(() => undefined);
  }

  private renew(): Promise<Got> {
    const { refused } = this;
    if (refused !== null && performance.now() < refused.until) return Promise.resolve({ outcome: refused.outcome });
    this.renewing = this.find()
      .catch((): Got => ({ outcome: noStore() }))
      .then((got) => {
        if ('outcome' in got)
          this.refused = { outcome: got.outcome, until: performance.now() + pauseAfter(got.outcome) };
        return got;
      })
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  /** The one that all processes share or, when it is ours to renew, a new one. */
  private async find(): Promise<Got> {
    const { store, timeoutMs } = this.options;
    const end = performance.now() + timeoutMs;
    for (;;) {
      const stored = await store.take(this.name, { renewBeforeMs: RENEW_BEFORE_MS, leaseMs: timeoutMs * 2 });
      if (stored.lease !== null) return this.request(stored.lease);
      if (stored.sealed !== null) {
        const token = unseal(JSON.parse(stored.sealed), this.options.clientSecret, PURPOSE) as string;
        this.held = { token, sealed: stored.sealed, endsAt: performance.now() + stored.leftMs };
        this.lookAgainAt = performance.now() + LOOK_AGAIN_MS;
        return { token };
      }
      if (performance.now() > end) return { outcome: gaveUp(ORANGE, 'timeout', false) };
      await pause(LOOK_EVERY_MS);
    }
  }

  private async request(lease: string): Promise<Got> {
    const { baseUrl, clientId, clientSecret, http, store, timeoutMs } = this.options;
    const result = await http.post(new URL(`${baseUrl}/oauth/v3/token`), {
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: 'grant_type=client_credentials',
      timeoutMs,
      signal: new AbortController().signal,
      keepBytes: MAX_ANSWER_BYTES,
    });
    const answer = result.kind === 'answered' ? jsonObject(result.body) : {};
    const token = textAt(answer, 'access_token');
    // Some of Orange's answers have the number as text.
    const lifeMs = Number(at(answer, 'expires_in')) * 1000;
    if (result.kind === 'answered' && result.status === 200 && token !== null && lifeMs > 0) {
      const sealed = JSON.stringify(seal(token, clientSecret, PURPOSE));
      await store.put(this.name, lease, { sealed, lifeMs });
      this.held = { token, sealed, endsAt: performance.now() + lifeMs };
      return { token };
    }
    await store.giveUp(this.name, lease);
    if (result.kind === 'failed') return { outcome: unanswered(ORANGE, { ...result, written: false }, null) };
    return { outcome: refusal(result.status, retryAfterMs(result.headers['retry-after'], new Date())) };
  }
}

/** Nothing was sent, whatever the answer. */
const refusal = (status: number, retryAfter: number | null): Outcome => {
  const text = String(status);
  if (status === 429) return rateLimited(ORANGE, text, retryAfter);
  if (status >= 500) return unavailable(ORANGE, text, retryAfter);
  return credentialsRefused(ORANGE, text);
};

const pauseAfter = (outcome: Outcome): number =>
  Math.max(PAUSE_AFTER_REFUSAL_MS, outcome.kind === 'rate_limited' ? (outcome.retryAfterMs ?? 0) : 0);

const noStore = (): Outcome => ({
  kind: 'transient',
  provider: ORANGE,
  code: 'token_unavailable',
  class: 'provider',
  message: 'the access token could not be looked up',
  providerStatus: null,
});

const endOf = (deadline: Deadline): Promise<Got> =>
  new Promise((resolve) => {
    const end = (): void => resolve({ outcome: gaveUp(ORANGE, deadline.reached ?? 'timeout', false) });
    if (deadline.reached !== null) end();
    else deadline.signal.addEventListener('abort', end, { once: true });
  });
