import type { Invalidation } from '#contracts/messages';
import { MongoTemplateStore } from '#persistence/templates/template-store';
import { Renderer, TEMPLATES_CACHE } from '#templates/renderer';
import { Templates } from '#templates/templates';
import { type Base, newId } from './base.js';

/** What this process renders with; it has to hear of invalidations. */
export const composeRenderer = ({ databases, metrics }: Base): Renderer =>
  new Renderer({
    store: new MongoTemplateStore(databases),
    onLookUp: (result) => metrics.templates.inc({ result }),
  });

export const hearOfTemplates = (renderer: Renderer, { cache, key }: Pick<Invalidation, 'cache' | 'key'>): void => {
  if (cache === TEMPLATES_CACHE) renderer.invalidate(key);
};

export const composeTemplates = (base: Base, renderer: Renderer): Templates =>
  new Templates({
    store: new MongoTemplateStore(base.databases),
    renderer,
    invalidations: { publish: (cache, key) => base.invalidate(cache, key) },
    newId,
    now: base.now,
  });
