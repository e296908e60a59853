import { parseArgs } from 'node:util';
import type { IssuedKey, Keys } from '#access/keys';
import { BadUsage } from '#composition/process';
import { CreateKey } from '#contracts/http/keys';
import { SCOPES } from '#contracts/vocabulary';

const CREATE_KEY_USAGE = `create-key --owner NAME --scopes all|a,b --services all|a,b [--expires-in 90d] [--json]

Makes an API key and prints it, this once. --expires-in takes a number of s, m, h or d; without it the key does not expire.`;

const badUsage = (what: string): BadUsage => new BadUsage(`${what}\n\n${CREATE_KEY_USAGE}`);

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const readOptions = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        owner: { type: 'string' },
        scopes: { type: 'string' },
        services: { type: 'string' },
        'expires-in': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : String(error));
  }
};

const listOf = (option: string, value: string | undefined, all: readonly string[]): string[] => {
  if (value === undefined) throw badUsage(`--${option} is required`);
  const named = value === 'all' ? [...all] : value.split(',');
  const unknown = named.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw badUsage(`--${option}: ${unknown.join(', ')} is none of ${all.join(', ')}`);
  return named;
};

const expiryOf = (duration: string | undefined, now: Date): string | null => {
  if (duration === undefined) return null;
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(duration) ?? [];
  const milliseconds = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  const end = new Date(now.getTime() + milliseconds);
  if (!(milliseconds > 0) || Number.isNaN(end.getTime()))
    throw badUsage('--expires-in must be a number of s, m, h or d, such as 24h');
  return end.toISOString();
};

export interface CreateKeyParts {
  keys: Pick<Keys, 'issue'>;
  /** Those that are configured. */
  services: readonly string[];
  now: () => Date;
}

/** Makes the key that a command line asks for; answers what is to be printed. @throws BadUsage */
export const createKey = async (argv: readonly string[], parts: CreateKeyParts): Promise<string> => {
  const options = readOptions(argv);
  const input = CreateKey.safeParse({
    owner: options.owner,
    scopes: listOf('scopes', options.scopes, SCOPES),
    services: listOf('services', options.services, parts.services),
    expiresAt: expiryOf(options['expires-in'], parts.now()),
  });
  if (!input.success)
    throw badUsage(input.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`).join('; '));
  const issued: IssuedKey = await parts.keys.issue(input.data);
  return options.json ? JSON.stringify({ id: issued.key.id, key: issued.text }) : issued.text;
};
