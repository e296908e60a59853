import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidSettings, parseSettings } from '#config/settings';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender } from '#domain/sender';
import { startSandbox } from '../../../apps/sandbox/sandbox.js';
import { sandboxSettings } from '../../../apps/sandbox/settings.js';
import { sendRequest } from '../conformance.js';
import { configureEmail } from './configure.js';
import { openProviders } from '#testing/open-providers';
import { ProviderSettings } from '../providers/settings.js';
import { EmailSettings } from './settings.js';

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
const Settings = EmailSettings.extend(ProviderSettings.shape);

let folder: string;
let authorities: string;
const senders: ChannelSender[] = [];

beforeAll(async () => {
  const variables = { SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0', SANDBOX_SMTP_REQUIRE_AUTH: 'true' };
  sandbox = await startSandbox(parseSettings(sandboxSettings, variables));
  folder = await mkdtemp(join(tmpdir(), 'carillon-email-'));
  authorities = join(folder, 'ca.pem');
  await writeFile(authorities, sandbox.smtpCertificate);
});
afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.close()));
});
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

const configure = (variables: Record<string, string>): ChannelSender => {
  const sender = configureEmail(
    parseSettings(Settings, { EMAIL_FROM: 'Carillon <no-reply@example.org>', ...variables }),
    openProviders(),
  );
  senders.push(sender);
  return sender;
};
const send = async (variables: Record<string, string>): Promise<Outcome | undefined> => {
  const request = sendRequest({ target: 'ada@example.org' });
  return (await configure(variables).send([request], new AbortController().signal))[0];
};

describe('the mail server', () => {
  const login = (): Record<string, string> => ({
    SMTP_HOST: 'localhost',
    SMTP_PORT: String(sandbox.smtpPort),
    SMTP_USER: 'carillon',
    SMTP_PASSWORD: 'carillon',
  });
  const trusted = (): Record<string, string> => ({ SMTP_TLS_CA_FILE: authorities, SMTP_REQUIRE_TLS: 'true' });

  it('takes mail over STARTTLS with a login', async () => {
    expect(await send({ ...login(), ...trusted() })).toMatchObject({
      kind: 'sent',
      provider: 'smtp',
      providerStatus: '250',
    });
  });

  it('may be given as a URL', async () => {
    const url = `smtp://carillon:carillon@localhost:${sandbox.smtpPort}`;
    expect(await send({ SMTP_URL: url, ...trusted() })).toMatchObject({ kind: 'sent' });
  });

  it('must have a certificate that is trusted, unless told otherwise', async () => {
    expect(await send(login())).toMatchObject({ kind: 'provider_down', code: 'provider_unreachable' });
    expect(await send({ ...login(), SMTP_TLS_REJECT_UNAUTHORIZED: 'false' })).toMatchObject({ kind: 'sent' });
  });

  it.each(['wrong', 'carillon2'])('refuses the password %s', async (password) => {
    const outcome = await send({ ...login(), ...trusted(), SMTP_PASSWORD: password });
    expect(outcome).toMatchObject({ kind: 'credentials', code: 'credentials_refused', class: 'credentials' });
    expect(JSON.stringify(outcome)).not.toContain(password);
  });

  it('refuses who does not log in', async () => {
    const { SMTP_HOST, SMTP_PORT } = login();
    expect(await send({ SMTP_HOST: SMTP_HOST ?? '', SMTP_PORT: SMTP_PORT ?? '', ...trusted() })).toMatchObject({
      kind: 'credentials',
    });
  });
});

describe('settings of e-mail', () => {
  it('may be absent: then the channel is not configured', async () => {
    const sender = configureEmail(parseSettings(Settings, {}), openProviders());
    const [outcome] = await sender.send([sendRequest({ target: 'ada@example.org' })], new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'credentials', code: 'not_configured' });
    await sender.close();
  });

  it.each([
    [{}, /SMTP_URL or SMTP_HOST is required/],
    [{ SMTP_HOST: 'a', SMTP_URL: 'smtp://a' }, /only one of them/],
    [{ SMTP_HOST: 'a', SMTP_USER: 'u' }, /both or neither/],
    [{ SMTP_HOST: 'a', EMAIL_FROM: 'nobody' }, /EMAIL_FROM must be/],
    [{ SMTP_HOST: 'a', EMAIL_FROM: 'A <a@example.org> <b@example.org>' }, /EMAIL_FROM must be/],
    [
      { SMTP_HOST: 'a', PROVIDERS_BY_SERVICE: 'test/email=smtp-backup' },
      /names for test\/email what is not among smtp$/m,
    ],
    [{ SMTP_HOST: 'a', SMTP_TLS_CA_FILE: '/nonexistent/ca.pem' }, /SMTP_TLS_CA_FILE must be/],
  ])('%j do not fit together', (variables, problem) => {
    expect(() => configure(variables)).toThrow(InvalidSettings);
    expect(() => configure(variables)).toThrow(problem);
  });

  it.each([
    ['no-reply@example.org'],
    ['<no-reply@example.org>'],
    ['"Carillon, North" <no-reply@example.org>'],
    ['Phòng khám <no-reply@bücher.example>'],
  ])('take the sender %s', (from) => {
    expect(configure({ SMTP_URL: 'smtps://user:p%40ss@[::1]:465', EMAIL_FROM: from }).concurrency).toBe(50);
  });
});
