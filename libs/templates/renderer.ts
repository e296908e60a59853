import { DEFAULT_LOCALE } from '#contracts/http/template-fields';
import type { Channel } from '#contracts/vocabulary';
import { ValidationFailed } from '#domain/errors';
import { TagCache } from './cache.js';
import { type Compiled, compileTemplate, type Rendered, renderTemplate } from './compile.js';
import type { TemplateKind, TemplateStore } from './ports.js';

/** The name of the cache in messages between processes; their key is a tag. */
export const TEMPLATES_CACHE = 'templates';
/** The tag that all have. */
const ALL_TAG = 'notifications';
export const tagOf = (name: string): string => `template.${name}`;

const CACHE_TTL_MS = 60 * 60_000;
const CACHE_CAPACITY = 2_000;

export interface RenderRequest {
  serviceName: string;
  channel: Channel;
  name: string;
  /** A published one; null for the live one. */
  version: number | null;
  /** Null for the default. */
  locale: string | null;
  variables: Record<string, unknown>;
}

export interface RendererParts {
  store: Pick<TemplateStore, 'lookUp'>;
  onLookUp?: (result: 'hit' | 'miss') => void;
  clock?: () => number;
}

/** A locale, then what it falls back to: fr-CI, fr, default. */
export const localesOf = (locale: string | null): string[] => {
  if (locale === null || locale === DEFAULT_LOCALE) return [DEFAULT_LOCALE];
  const subtags = canonicalLocale(locale).split('-');
  return [...subtags.map((_, index) => subtags.slice(0, subtags.length - index).join('-')), DEFAULT_LOCALE];
};

export const canonicalLocale = (locale: string): string =>
  locale === DEFAULT_LOCALE ? locale : (Intl.getCanonicalLocales(locale)[0] ?? locale);

export const unknownTemplate = (): ValidationFailed =>
  new ValidationFailed([
    {
      in: 'body',
      field: '/template',
      code: 'unknown_template',
      message: 'is no published template of this service for the channel, in the locale or one that it falls back to',
    },
  ]);

/** Makes notifications' texts from published templates, which it remembers compiled. */
export class Renderer {
  private readonly cache: TagCache<Compiled | null>;

  constructor(private readonly parts: RendererParts) {
    this.cache = new TagCache({
      ttlMs: CACHE_TTL_MS,
      capacity: CACHE_CAPACITY,
      ...(parts.onLookUp === undefined ? {} : { onLookUp: parts.onLookUp }),
      ...(parts.clock === undefined ? {} : { clock: parts.clock }),
    });
  }

  /** With the version and locale that were found. @throws ValidationFailed naming `/template` or variables, Unavailable */
  async render(request: RenderRequest): Promise<Rendered & { version: number; locale: string }> {
    const compiled = await this.compiled(request);
    const { version, locale } = compiled;
    return { ...renderTemplate(compiled, request.variables), version, locale };
  }

  /** @throws ValidationFailed naming `/template`, Unavailable */
  async compiled({ serviceName, name, channel, locale, version }: Omit<RenderRequest, 'variables'>): Promise<Compiled> {
    for (const one of localesOf(locale)) {
      const found = await this.one({ serviceName, name, channel, locale: one }, version);
      if (found !== null) return found;
    }
    throw unknownTemplate();
  }

  /** Another process has changed what has this tag, or (null) nobody knows what. */
  invalidate(tag: string | null): void {
    this.cache.forget(tag);
  }

  private one(kind: TemplateKind, version: number | null): Promise<Compiled | null> {
    const key = JSON.stringify([kind.serviceName, kind.name, kind.channel, kind.locale, version]);
    return this.cache.get(key, [ALL_TAG, tagOf(kind.name)], async () => {
      const template = await this.parts.store.lookUp(kind, version);
      return template === null || template.status === 'draft' ? null : compileTemplate(template);
    });
  }
}
