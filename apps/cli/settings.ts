import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidSettings, parseSettings } from '#config/settings';

const address = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/+$/, ''));

export const cliSettings = z.object({
  CARILLON_API_URL: address.optional().meta({
    description: 'address of the HTTP API; http://127.0.0.1:8009 unless the profile has one',
  }),
  CARILLON_API_KEY: z.string().optional().meta({ description: 'API key; wins over that of the profile' }),
  CARILLON_PROFILE: z.string().optional().meta({ description: 'profile, where --profile names none; default' }),
  CARILLON_SANDBOX_URL: address.optional().meta({
    description: 'address of the sandbox, for test:*; http://127.0.0.1:8020 unless the profile has one',
  }),
});

const DEFAULT_API = 'http://127.0.0.1:8009';
const DEFAULT_SANDBOX = 'http://127.0.0.1:8020';
const DEFAULT_PROFILE = 'default';
/** Access of group and others. */
const NOT_OURS_ALONE = 0o077;

/** Where the command line finds what it talks to. */
export interface Connection {
  url: string;
  key: string;
  sandboxUrl: string;
}

const Profile = z.strictObject({ url: address.optional(), key: z.string().min(1), sandboxUrl: address.optional() });
const Profiles = z.record(z.string(), Profile);

/** `carillon/profiles.json` in the user's folder of settings. */
export const profilesFile = (environment: NodeJS.ProcessEnv): string =>
  join(environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? '.', '.config'), 'carillon', 'profiles.json');

/** @throws InvalidSettings, also where others could read the file */
const profileOf = (file: string, name: string): z.output<typeof Profile> | null => {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if ((stat.mode & NOT_OURS_ALONE) !== 0)
    throw new InvalidSettings([`${file} holds keys and can be read by others: chmod 600 ${file}`]);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new InvalidSettings([`${file} is not readable JSON`]);
  }
  const parsed = Profiles.safeParse(content);
  if (!parsed.success)
    throw new InvalidSettings(parsed.error.issues.map(({ path, message }) => `${file}: ${path.join('.')} ${message}`));
  return parsed.data[name] ?? null;
};

/** The environment wins over the profile. @throws InvalidSettings */
export const connectionOf = (environment: NodeJS.ProcessEnv, profileName: string | undefined): Connection => {
  const settings = parseSettings(cliSettings, environment);
  const named = profileName ?? settings.CARILLON_PROFILE;
  const file = profilesFile(environment);
  const profile =
    named === undefined && settings.CARILLON_API_KEY !== undefined ? null : profileOf(file, named ?? DEFAULT_PROFILE);
  if (named !== undefined && profile === null) throw new InvalidSettings([`${file} has no profile ${named}`]);
  // A profile that was asked for on the command line is not overruled by what happens to be exported.
  const { CARILLON_API_URL, CARILLON_API_KEY, CARILLON_SANDBOX_URL } = profileName === undefined ? settings : {};
  const key = CARILLON_API_KEY ?? profile?.key;
  if (key === undefined)
    throw new InvalidSettings([`CARILLON_API_KEY is required, or a profile in ${file} (see docs/cli.md)`]);
  return {
    url: CARILLON_API_URL ?? profile?.url ?? DEFAULT_API,
    key,
    sandboxUrl: CARILLON_SANDBOX_URL ?? profile?.sandboxUrl ?? DEFAULT_SANDBOX,
  };
};
