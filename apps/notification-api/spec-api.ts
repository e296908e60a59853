import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type ApiSettings, apiSettings } from './settings.js';
import { type MemoryParts, memoryParts } from './spec-parts.js';
import type { ApiParts } from './tokens.js';

// @nestjs/throttler is CommonJS and requires ES modules: jest allows that only of modules that are loaded already.
await import('@nestjs/core');
const { createApi } = await import('./app.js');

export interface Asked {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS';
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Instead of the key with all scopes; null for none. */
  key?: string | null;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  body: Record<string, unknown>;
  text: string;
}

export interface TestApi extends MemoryParts {
  app: NestFastifyApplication;
  /** The text and the id of a key with all scopes and services. */
  key: string;
  keyId: string;
  ask: (asked: Asked) => Promise<Answered>;
}

/** The whole app over parts in memory. */
export const testApi = async (
  settings: Partial<ApiSettings> = {},
  changes: Partial<ApiParts> = {},
): Promise<TestApi> => {
  const memory = memoryParts();
  const { key, text } = await memory.issue();
  const app = await createApi({ ...memory.parts, ...changes }, { ...apiSettings.parse({}), ...settings });
  const ask = async ({ method, path, body, headers = {}, key: as = text }: Asked): Promise<Answered> => {
    const answer = await app.inject({
      method,
      url: path,
      headers: { ...(as === null ? {} : { authorization: `Bearer ${as}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const json = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: json ? answer.json<Record<string, unknown>>() : {},
      text: answer.payload,
    };
  };
  return { ...memory, app, key: text, keyId: key.id, ask };
};
