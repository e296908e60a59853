import type { Template, TemplateFilter, TemplateKind, TemplateStore } from '#templates/ports';
import { newestFirst } from './memory-access.js';

const isOfKind = (a: TemplateKind, b: TemplateKind): boolean =>
  a.serviceName === b.serviceName && a.name === b.name && a.channel === b.channel && a.locale === b.locale;

/** In-memory twin of the store of templates. */
export class MemoryTemplateStore implements TemplateStore {
  readonly templates = new Map<string, Template>();
  lookUps = 0;

  constructor(private readonly now: () => Date) {}

  insert(draft: Omit<Template, 'version' | 'liveAt'>): Promise<Template> {
    const versions = this.ofKind(draft).map(({ version }) => version);
    const template = { ...draft, version: Math.max(0, ...versions) + 1, liveAt: null };
    this.templates.set(template.id, template);
    return Promise.resolve(template);
  }

  find(id: string): Promise<Template | null> {
    return Promise.resolve(this.templates.get(id) ?? null);
  }

  page(
    { services, name, channel, locale, status }: TemplateFilter,
    limit: number,
    after: { createdAt: Date; id: string } | null,
  ): Promise<Template[]> {
    const found = [...this.templates.values()]
      .filter((one) => services.includes(one.serviceName))
      .filter((one) => name === undefined || one.name === name)
      .filter((one) => channel === undefined || one.channel === channel)
      .filter((one) => locale === undefined || one.locale === locale)
      .filter((one) => status === undefined || one.status === status)
      .filter((one) => after === null || newestFirst(after, one) < 0)
      .sort(newestFirst);
    return Promise.resolve(found.slice(0, limit));
  }

  lookUp(kind: TemplateKind, version: number | null): Promise<Template | null> {
    this.lookUps += 1;
    const versions = this.ofKind(kind).sort((a, b) => b.version - a.version);
    if (version !== null) return Promise.resolve(versions.find((one) => one.version === version) ?? null);
    const [live] = versions
      .filter(({ liveAt }) => liveAt !== null)
      .sort((a, b) => (b.liveAt?.getTime() ?? 0) - (a.liveAt?.getTime() ?? 0));
    return Promise.resolve(live ?? null);
  }

  update(
    id: string,
    change: Pick<Template, 'content' | 'variables' | 'updatedAt' | 'updatedBy'>,
  ): Promise<Template | null> {
    return Promise.resolve(this.templates.get(id)?.status === 'draft' ? this.change(id, change) : null);
  }

  publish(id: string, actor: string): Promise<Template | null> {
    const now = this.now();
    const publishedAt = this.templates.get(id)?.publishedAt ?? now;
    return Promise.resolve(
      this.change(id, { status: 'published', publishedAt, liveAt: now, updatedAt: now, updatedBy: actor }),
    );
  }

  deleteDraft(id: string): Promise<boolean> {
    return Promise.resolve(this.templates.get(id)?.status === 'draft' && this.templates.delete(id));
  }

  private ofKind(kind: TemplateKind): Template[] {
    return [...this.templates.values()].filter((one) => isOfKind(one, kind));
  }

  private change(id: string, change: Partial<Template>): Template | null {
    const template = this.templates.get(id);
    if (template === undefined) return null;
    const changed = { ...template, ...change };
    this.templates.set(id, changed);
    return changed;
  }
}
