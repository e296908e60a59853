import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { InvalidSettings } from '#config/settings';
import { callerOf } from '#testing/callers';
import { inboxSettingsOf } from './settings.js';
import { InboxTokens } from './tokens.js';

const SECRET = 's'.repeat(32);
const OTHER = 'o'.repeat(32);
const START = new Date('2026-11-21T08:00:00.000Z');
const READER = { serviceName: 'diabetes', tenantId: 'clinic', userId: 'p-1042' };
const caller = callerOf({ services: new Set(['diabetes', 'test']) });

const tokensAt = (seconds = 0, secrets: readonly string[] = [SECRET]): InboxTokens =>
  new InboxTokens({
    secrets,
    maxSeconds: 900,
    services: ['diabetes', 'test'],
    now: () => new Date(START.getTime() + seconds * 1000),
  });
const issued = async (ttlSeconds?: number): Promise<{ token: string; expiresAt: Date }> =>
  tokensAt().issue(caller, { ...READER, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });

describe('inbox tokens', () => {
  it('say who reads, and until when', async () => {
    const { token, expiresAt } = await issued(60);
    expect(expiresAt).toEqual(new Date('2026-11-21T08:01:00.000Z'));
    expect(await tokensAt(59).verify(token)).toEqual({ reader: READER, expiresAt });
  });

  it.each([
    [undefined, 900],
    [60, 60],
    [86_400, 900],
  ])('last %s seconds as %s', async (asked, seconds) => {
    const { expiresAt } = await issued(asked);
    expect(expiresAt.getTime() - START.getTime()).toBe(seconds * 1000);
  });

  it('are of the tenant that was named, and of none else', async () => {
    const { token } = await tokensAt().issue(caller, { serviceName: 'test', userId: 'p-1' });
    expect((await tokensAt().verify(token)).reader).toEqual({ serviceName: 'test', tenantId: null, userId: 'p-1' });
  });

  it('are given for services of the caller alone', async () => {
    const asked = { serviceName: 'wellness', userId: 'p-1' };
    await expect(tokensAt().issue(caller, asked)).rejects.toMatchObject({ code: 'service_not_allowed' });
  });

  it('expire, and clocks may differ by some seconds', async () => {
    const { token } = await issued(60);
    await tokensAt(64).verify(token);
    await expect(tokensAt(66).verify(token)).rejects.toMatchObject({ code: 'token_expired' });
    await tokensAt(-4).verify(token);
  });

  it('outlive a change of the secret', async () => {
    const { token } = await issued();
    await tokensAt(1, [OTHER, SECRET]).verify(token);
    const next = await tokensAt(0, [OTHER, SECRET]).issue(caller, READER);
    await tokensAt(1, [OTHER]).verify(next.token);
    await expect(tokensAt(1, [OTHER]).verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('are of services that exist here', async () => {
    const { token } = await issued();
    const elsewhere = new InboxTokens({ secrets: [SECRET], maxSeconds: 900, services: ['test'], now: () => START });
    await expect(elsewhere.verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  const forged = (claims: Record<string, unknown>, alg = 'HS256', aud = 'carillon-inbox'): Promise<string> =>
    new SignJWT({ service: 'test', tenant: null, ...claims })
      .setProtectedHeader({ alg })
      .setIssuer('carillon')
      .setAudience(aud)
      .setIssuedAt(START.getTime() / 1000)
      .setExpirationTime(START.getTime() / 1000 + 60)
      .sign(new TextEncoder().encode(alg === 'HS256' ? SECRET : 's'.repeat(64)));

  it.each<[string, () => Promise<string>]>([
    ['nothing', () => Promise.resolve('')],
    ['an API key', () => Promise.resolve(`car_${'0'.repeat(24)}_${'a'.repeat(43)}`)],
    ['what was changed', async () => (await issued()).token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['other claims under the same signature', async () => swapped((await issued()).token)],
    ['no signature', async () => unsigned((await issued()).token)],
    ['another purpose', () => forged({ sub: 'p-1' }, 'HS256', 'something-else')],
    ['another algorithm', () => forged({ sub: 'p-1' }, 'HS512')],
    ['nobody', () => forged({})],
    ['no user id', () => forged({ sub: 'a/b' })],
    ['another shape', () => forged({ sub: 'p-1', tenant: 7 })],
    ['too much', () => Promise.resolve('a'.repeat(10_000))],
  ])('are not taken with %s', async (_what, make) => {
    const token = await make();
    const verifying = tokensAt().verify(token);
    await expect(verifying).rejects.toMatchObject({ code: 'invalid_token' });
    if (token !== '')
      await expect(verifying).rejects.not.toMatchObject({ message: expect.stringContaining(token) as unknown });
  });
});

const swapped = (token: string): string => {
  const [head, body, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString()) as object;
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'p-2' })).toString('base64url');
  return [head, other, signature].join('.');
};
const unsigned = (token: string): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1] ?? ''}.`;

describe('the settings of the inbox', () => {
  it('need nothing', () => {
    expect(inboxSettingsOf({})).toEqual({
      INBOX_TOKEN_MAX_SECONDS: 3_600,
      INBOX_HEARTBEAT_SECONDS: 20,
      INBOX_POLL_SECONDS: 15,
      INBOX_MAX_STREAMS: 10_000,
    });
    expect(inboxSettingsOf({ INBOX_TOKEN_SECRET: `${SECRET}, ${OTHER}` }).INBOX_TOKEN_SECRET).toEqual([SECRET, OTHER]);
  });

  it.each([
    [{ INBOX_TOKEN_SECRET: 'short' }, /INBOX_TOKEN_SECRET must have at least 32 characters/],
    [{ INBOX_TOKEN_SECRET: `${SECRET},short` }, /INBOX_TOKEN_SECRET must have at least 32 characters/],
    [{ INBOX_TOKEN_SECRET: ' , ' }, /INBOX_TOKEN_SECRET must hold a secret/],
    [{ INBOX_TOKEN_SECRET: [SECRET, OTHER, SECRET].join() }, /INBOX_TOKEN_SECRET must be one secret, or two/],
    [{ INBOX_HEARTBEAT_SECONDS: '5' }, /INBOX_TOKEN_SECRET is required with INBOX_HEARTBEAT_SECONDS/],
    [{ INBOX_MAX_STREAMS: '0', INBOX_TOKEN_SECRET: SECRET }, /INBOX_MAX_STREAMS must be a whole number from 1/],
  ])('refuse %j', (environment, problem) => {
    expect(() => inboxSettingsOf(environment)).toThrow(InvalidSettings);
    expect(() => inboxSettingsOf(environment)).toThrow(problem);
    expect(() => inboxSettingsOf(environment)).not.toThrow(/short,|ssss/);
  });
});
