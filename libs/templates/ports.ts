import type { Channel, TemplateStatus } from '#contracts/vocabulary';

export type { Invalidations } from '#domain/invalidations';

/** What a template says before variables are filled in. */
export interface TemplateContent {
  title: string | null;
  body: string | null;
  /** As given, or made from `mjml`. */
  html: string | null;
  mjml: string | null;
  /** Made from `html` where no `body` was given. */
  text: string | null;
  data: Record<string, unknown>;
}

/** Of these four there is one live version. */
export interface TemplateKind {
  serviceName: string;
  name: string;
  channel: Channel;
  /** A canonical language tag, or `default`. */
  locale: string;
}

/** One version of a template. */
export interface Template extends TemplateKind {
  id: string;
  /** 1, 2, 3 ... within its kind. */
  version: number;
  status: TemplateStatus;
  content: TemplateContent;
  /** JSON Schema. */
  variables: Record<string, unknown>;
  createdAt: Date;
  updatedAt: Date;
  /** First published. */
  publishedAt: Date | null;
  /** Last published: among the versions of a kind, the latest is live. */
  liveAt: Date | null;
  /** Actor of the last change. */
  updatedBy: string;
}

export interface TemplateFilter {
  services: readonly string[];
  name?: string | undefined;
  channel?: Channel | undefined;
  locale?: string | undefined;
  status?: TemplateStatus | undefined;
}

export interface TemplateStore {
  /** A draft: takes the next free version number of its kind. */
  insert(draft: Omit<Template, 'version' | 'liveAt'>): Promise<Template>;
  find(id: string): Promise<Template | null>;
  /** Newest first, after a place in that order. */
  page(filter: TemplateFilter, limit: number, after: { createdAt: Date; id: string } | null): Promise<Template[]>;
  /** The live version of a kind or, where a version is named, that one, be it a draft. */
  lookUp(kind: TemplateKind, version: number | null): Promise<Template | null>;
  /** Null when there is no such draft. */
  update(
    id: string,
    change: Pick<Template, 'content' | 'variables' | 'updatedAt' | 'updatedBy'>,
  ): Promise<Template | null>;
  /** Makes it the live one, by the database's clock. Null when there is none. */
  publish(id: string, actor: string): Promise<Template | null>;
  /** False when there is no such draft. */
  deleteDraft(id: string): Promise<boolean>;
}
