import { readFileSync } from 'node:fs';
import { Command, Option } from 'nest-commander';
import { MAX_LIMIT } from '#contracts/http/lists';
import { OPERATIONS } from '#contracts/http/operations';
import { CreateTemplate, type TemplateBody } from '#contracts/http/templates';
import { CHANNELS, type Channel, TEMPLATE_STATUSES, type TemplateStatus } from '#contracts/vocabulary';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { BadUsage, wholeNumber } from '../exit.js';
import { moment, nextPage } from '../notifications.js';
import { given, oneOf } from '../options.js';
import { pushTemplate } from '../templates.js';
import { type Report, table } from '../terminal.js';
import type { PageOptions } from './paging.js';

interface PushOptions {
  publish?: boolean;
}

/** A file that holds what `POST /api/templates` takes. @throws BadUsage */
const readTemplate = (file: string): CreateTemplate => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BadUsage(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = CreateTemplate.safeParse(content);
  if (!parsed.success)
    throw new BadUsage(
      parsed.error.issues.map(({ path, message }) => `${file}: ${path.map(String).join('/')} ${message}`).join('\n'),
    );
  return parsed.data;
};

@Command({
  name: 'templates:push',
  arguments: '<file...>',
  argsDescription: { file: 'JSON as POST /api/templates takes it' },
  description: 'write templates from files, as a new version where the newest one says something else',
})
export class TemplatesPush extends ApiCommand<PushOptions> {
  @Option({ flags: '--publish', description: 'make them the live versions' })
  publish(): boolean {
    return true;
  }

  protected async ask(api: Api, files: string[], { publish = false }: PushOptions): Promise<Report> {
    // All are read before any is written.
    const inputs = files.map((file) => ({ file, input: readTemplate(file) }));
    const data: { file: string; what: string; template: TemplateBody }[] = [];
    for (const { file, input } of inputs) data.push({ file, ...(await pushTemplate(api, input, publish)) });
    return {
      value: { data },
      lines: data.map(
        ({ file, what, template: { name, channel, locale, version } }) =>
          `${file}  ${name} ${channel} ${locale}, version ${version}: ${what}`,
      ),
    };
  }
}

interface ListOptions extends PageOptions {
  service?: string;
  name?: string;
  channel?: Channel;
  status?: TemplateStatus;
}

@Command({ name: 'templates:list', description: 'list versions of templates, newest first' })
export class TemplatesList extends ApiCommand<ListOptions> {
  @Option({ flags: '--service <name>', description: 'all that the key may use, unless said otherwise' })
  service(name: string): string {
    return name;
  }
  @Option({ flags: '--name <name>', description: 'of one template' })
  name(name: string): string {
    return name;
  }
  @Option({ flags: '--channel <channel>', description: 'of one channel', choices: [...CHANNELS] })
  channel(value: string): Channel {
    return oneOf(CHANNELS, value);
  }
  @Option({ flags: '--status <status>', description: 'draft or published', choices: [...TEMPLATE_STATUSES] })
  status(value: string): TemplateStatus {
    return oneOf(TEMPLATE_STATUSES, value);
  }

  @Option({ flags: '--limit <n>', description: `1 to ${MAX_LIMIT}, 50 unless said otherwise` })
  limit(n: string): string {
    return String(wholeNumber(n, 1, MAX_LIMIT));
  }
  @Option({ flags: '--cursor <cursor>', description: 'of the page before, with the same filters' })
  cursor(cursor: string): string {
    return cursor;
  }

  protected async ask(api: Api, _args: string[], options: ListOptions): Promise<Report> {
    const { service, name, channel, status, limit, cursor } = options;
    const page = await api.call(OPERATIONS.listTemplates, {
      query: given({ serviceName: service, name, channel, status, limit, cursor }),
    });
    const rows = page.data.map((one) => [
      one.name,
      one.channel,
      one.locale,
      String(one.version),
      one.status,
      moment(one.liveAt),
      one.serviceName,
    ]);
    return {
      value: page,
      lines: [
        ...(rows.length === 0
          ? ['none']
          : table([['name', 'channel', 'locale', 'version', 'status', 'live since', 'service'], ...rows])),
        ...nextPage(page.page),
      ],
    };
  }
}
