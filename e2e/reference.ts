import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { countrySettings } from '#acceptance/countries';
import { limitSettings } from '#acceptance/limits';
import { accessSettings } from '#access/settings';
import { ChannelSettings } from '#channels/settings';
import { ReceiptSettings } from '#channels/sms/receipts-settings';
import { inboxSettings } from '#inbox/settings';
import { channelLimitSettings } from '#limits/settings';
import { approvalSettings, lifecycleSettings } from '#lifecycle/settings';
import { MessagingSettings } from '#messaging/settings';
import { loggingSettings } from '#observability/logging';
import { tracingSettings } from '#observability/tracing';
import { databaseSettings } from '#persistence/settings';
import { ROOT } from '#testing/processes';
import { cleanUpSettings } from '#upkeep/clean-up-settings';
import { upkeepSettings } from '#upkeep/settings';
import { cliSettings } from '../apps/cli/settings.js';
import { dispatcherSettings } from '../apps/dispatcher/settings.js';
import { apiSettings } from '../apps/notification-api/settings.js';
import { schedulerSettings } from '../apps/scheduler/settings.js';
import { cliPage } from './cli-page.js';

/** Writes `.env.example` and the table in docs/configuration.md from the schemas that the apps parse at boot. */

/** Each variable stands in one section. */
const keysOf = <T extends z.ZodObject>(schema: T) =>
  Object.fromEntries(Object.keys(schema.shape).map((name) => [name, true])) as { [K in keyof T['shape']]: true };

const SECTIONS: readonly { title: string; schema: z.ZodObject }[] = [
  { title: 'Every app: MongoDB', schema: databaseSettings },
  { title: 'Every app: RabbitMQ', schema: MessagingSettings },
  { title: 'Every app: logs', schema: loggingSettings },
  { title: 'notification-api and dispatcher: traces', schema: tracingSettings },
  { title: 'notification-api', schema: apiSettings },
  { title: 'notification-api: in-app inbox', schema: inboxSettings },
  { title: 'notification-api: approval', schema: approvalSettings },
  { title: 'dispatcher', schema: dispatcherSettings },
  { title: 'scheduler', schema: schedulerSettings },
  { title: 'notification-api and dispatcher: who may do what', schema: accessSettings },
  { title: 'notification-api and dispatcher: limits', schema: limitSettings },
  { title: 'notification-api and dispatcher: limits of channels and providers', schema: channelLimitSettings },
  { title: 'notification-api and dispatcher: phone numbers', schema: countrySettings },
  { title: 'notification-api and dispatcher: receipts of SMS', schema: ReceiptSettings },
  { title: 'dispatcher: providers', schema: ChannelSettings.omit(keysOf(ReceiptSettings)) },
  { title: 'dispatcher and scheduler: failures and alerts', schema: lifecycleSettings },
  { title: 'notification-api and scheduler: clean-up', schema: cleanUpSettings },
  { title: 'scheduler: upkeep', schema: upkeepSettings.omit(keysOf(cleanUpSettings)) },
  { title: 'carillon, the command line', schema: cliSettings },
];

interface Variable {
  name: string;
  description: string;
  required: boolean;
  fallback: string | null;
  example: string | null;
}

const text = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(String).join(',');
  if (value instanceof Map) return '';
  return String(value);
};

const describe = (name: string, schema: z.ZodType): Variable => {
  const optional = schema.safeParse(undefined);
  const meta = (schema.meta() ?? {}) as { description?: string; example?: string; examples?: unknown[] };
  const value = optional.success ? optional.data : undefined;
  return {
    name,
    description: meta.description ?? '',
    required: !optional.success,
    fallback: value === undefined || (value instanceof Map && value.size === 0) ? null : text(value),
    example: meta.example ?? (meta.examples?.[0] === undefined ? null : text(meta.examples[0])),
  };
};

const variablesOf = (schema: z.ZodObject): Variable[] =>
  Object.entries(schema.shape).map(([name, one]) => describe(name, one as z.ZodType));

const exampleFile = (): string =>
  [
    '# Every setting, with its default. Made from the schemas that the apps check at start-up: npm run reference',
    ...SECTIONS.flatMap(({ title, schema }) => [
      '',
      `# --- ${title} ---`,
      ...variablesOf(schema).flatMap(({ name, description, required, fallback, example }) => [
        `# ${description}`,
        required ? `${name}=${example ?? ''}` : `# ${name}=${fallback ?? example ?? ''}`,
      ]),
    ]),
    '',
  ].join('\n');

const cell = (value: string): string => value.replaceAll('|', '\\|');

const configurationPage = (): string =>
  [
    '# Configuration',
    '',
    'Settings are environment variables, read once at start-up. A wrong value stops the app with status 78 and a line that',
    'names the variable and says what it should be. An empty variable counts as absent. This page is made from the schemas',
    'that check them: `npm run reference`.',
    ...SECTIONS.flatMap(({ title, schema }) => [
      '',
      `## ${title}`,
      '',
      '| variable | meaning | default |',
      '| --- | --- | --- |',
      ...variablesOf(schema).map(
        ({ name, description, required, fallback }) =>
          `| \`${name}\` | ${cell(description)} | ${required ? '**required**' : fallback === null || fallback === '' ? '' : `\`${cell(fallback)}\``} |`,
      ),
    ]),
    '',
  ].join('\n');

/** Path in the checkout -> what it must hold. */
export const REFERENCE: Readonly<Record<string, () => string | Promise<string>>> = {
  '.env.example': exampleFile,
  'docs/configuration.md': configurationPage,
  'docs/cli.md': cliPage,
};

export const isCurrent = async (path: string): Promise<boolean> =>
  readFileSync(join(ROOT, path), 'utf8') === ((await REFERENCE[path]?.()) ?? null);

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, content] of Object.entries(REFERENCE)) writeFileSync(join(ROOT, path), await content());
