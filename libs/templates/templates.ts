import type {
  CreateTemplate,
  ListTemplatesQuery,
  PreviewTemplate,
  PutTemplate,
  TemplateContent as GivenContent,
} from '#contracts/http/templates';
import type { Channel } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { InvalidTransition, NotFound, ServiceNotAllowed, ValidationFailed } from '#domain/errors';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import { type Compiled, compileTemplate, type Rendered, renderTemplate, writeContent } from './compile.js';
import type { Invalidations, Template, TemplateContent, TemplateStore } from './ports.js';
import { canonicalLocale, localesOf, type Renderer, tagOf, TEMPLATES_CACHE, unknownTemplate } from './renderer.js';

export interface TemplatesParts {
  store: TemplateStore;
  renderer: Pick<Renderer, 'invalidate' | 'compiled'>;
  invalidations: Invalidations;
  newId: () => string;
  now: () => Date;
}

/** What a template makes of variables, and which one it was. */
export interface Previewed extends Rendered {
  name: string;
  channel: Channel;
  locale: string;
  version: number;
  serviceName: string;
}

const WHAT = 'template';

/** The one service that a caller means. */
const serviceOf = (caller: Caller, named: string | undefined): string => {
  const service = named ?? (caller.services.size === 1 ? [...caller.services][0] : undefined);
  if (service === undefined)
    throw new ValidationFailed([
      {
        in: 'body',
        field: '/serviceName',
        code: 'required',
        message: 'is required: this key may use several services',
      },
    ]);
  if (!caller.services.has(service)) throw new ServiceNotAllowed();
  return service;
};

/** The content as it is kept, once it and the schema are known to compile. @throws ValidationFailed */
const checked = async (
  channel: Channel,
  given: GivenContent,
  variables: Record<string, unknown>,
): Promise<TemplateContent> => {
  const content = await writeContent(channel, given);
  compileTemplate({ content, variables, locale: '', version: 0 });
  return content;
};

/** Templates as people write and publish them. In a service that the caller may not use there are none. */
export class Templates {
  constructor(private readonly parts: TemplatesParts) {}

  /** @throws ValidationFailed, ServiceNotAllowed */
  async create(caller: Caller, input: CreateTemplate): Promise<Template> {
    const serviceName = serviceOf(caller, input.serviceName);
    const content = await checked(input.channel, input.content, input.variables);
    const now = this.parts.now();
    return this.parts.store.insert({
      id: this.parts.newId(),
      serviceName,
      name: input.name,
      channel: input.channel,
      locale: canonicalLocale(input.locale),
      status: 'draft',
      content,
      variables: input.variables,
      createdAt: now,
      updatedAt: now,
      publishedAt: null,
      updatedBy: caller.actor,
    });
  }

  /** Versions, newest first. @throws InvalidCursor, ServiceNotAllowed */
  async list(caller: Caller, query: ListTemplatesQuery): Promise<Page<Template>> {
    const { limit, cursor, serviceName, ...given } = query;
    if (serviceName !== undefined && !caller.services.has(serviceName)) throw new ServiceNotAllowed();
    const filter = { ...given, ...(given.locale === undefined ? {} : { locale: canonicalLocale(given.locale) }) };
    const cursors = new Cursors('templates', { serviceName, ...filter });
    const services = serviceName === undefined ? [...caller.services] : [serviceName];
    const rows = await this.parts.store.page({ services, ...filter }, limit + 1, cursors.time(cursor));
    return pageOf(rows, limit, (last) => cursors.ofTime(last));
  }

  /** @throws NotFound, InvalidTransition when it was published, ValidationFailed */
  async update(caller: Caller, name: string, id: string, input: PutTemplate): Promise<Template> {
    const { channel } = await this.draft(caller, name, id);
    const content = await checked(channel, input.content, input.variables);
    const change = { content, variables: input.variables, updatedAt: this.parts.now(), updatedBy: caller.actor };
    return (await this.parts.store.update(id, change)) ?? this.vanished(caller, name, id);
  }

  /** A draft, or again one that was published before. @throws NotFound */
  async publish(caller: Caller, name: string, id: string): Promise<Template> {
    await this.visible(caller, name, id);
    const published = await this.parts.store.publish(id, caller.actor);
    if (published === null) throw new NotFound(WHAT);
    this.invalidate(tagOf(name));
    return published;
  }

  /** @throws NotFound, InvalidTransition when it was published */
  async deleteDraft(caller: Caller, name: string, id: string): Promise<void> {
    await this.draft(caller, name, id);
    if (!(await this.parts.store.deleteDraft(id))) await this.vanished(caller, name, id);
  }

  /** Here at once, elsewhere as soon as they hear of it. @param tag null for all */
  invalidate(tag: string | null): void {
    this.parts.renderer.invalidate(tag);
    this.parts.invalidations.publish(TEMPLATES_CACHE, tag);
  }

  /** What would be sent. A version that is named may be a draft. @throws ValidationFailed, ServiceNotAllowed */
  async preview(caller: Caller, name: string, input: PreviewTemplate): Promise<Previewed> {
    const serviceName = serviceOf(caller, input.serviceName);
    const { channel } = input;
    const locale = input.locale ?? null;
    const compiled =
      input.version === undefined
        ? await this.parts.renderer.compiled({ serviceName, name, channel, locale, version: null })
        : await this.anyVersion({ serviceName, name, channel }, locale, input.version);
    const rendered = renderTemplate(compiled, input.variables);
    return { serviceName, name, channel, locale: compiled.locale, version: compiled.version, ...rendered };
  }

  private async anyVersion(
    kind: { serviceName: string; name: string; channel: Channel },
    locale: string | null,
    version: number,
  ): Promise<Compiled> {
    for (const one of localesOf(locale)) {
      const template = await this.parts.store.lookUp({ ...kind, locale: one }, version);
      if (template !== null) return compileTemplate(template);
    }
    throw unknownTemplate();
  }

  private async visible(caller: Caller, name: string, id: string): Promise<Template> {
    const template = await this.parts.store.find(id);
    if (template === null || template.name !== name || !caller.services.has(template.serviceName))
      throw new NotFound(WHAT);
    return template;
  }

  private async draft(caller: Caller, name: string, id: string): Promise<Template> {
    const template = await this.visible(caller, name, id);
    if (template.status === 'draft') return template;
    throw new InvalidTransition(null, ['publish'], 'a published version stays as it is: write a new one');
  }

  /** It was a draft a moment ago: gone now, or published. */
  private async vanished(caller: Caller, name: string, id: string): Promise<never> {
    await this.draft(caller, name, id);
    throw new NotFound(WHAT);
  }
}
