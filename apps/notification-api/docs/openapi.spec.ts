import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { z } from 'zod';
import { type Operation, OPERATIONS } from '#contracts/http/operations';
import { PROBLEMS } from '#contracts/problems';
import { openApiDocument } from './openapi.js';
import { docsPage } from './page.js';

const document = openApiDocument('1.2.3');
const operations: readonly Operation[] = Object.values(OPERATIONS);
const examplesOf = (schema: z.ZodType): unknown[] => [schema.meta()?.['examples'] ?? []].flat();

const described = (operation: Operation) => {
  const item = document.paths?.[operation.path.replaceAll(/:(\w+)/g, '{$1}')];
  return item?.[operation.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'];
};

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
    expect(result).toEqual({ valid: true });
  });

  it.each(operations.map((operation) => [operation.id, operation] as const))('describes %s whole', (_id, operation) => {
    const found = described(operation);
    expect(found?.operationId).toBe(operation.id);
    const statuses = [...new Set(operation.problems.map((code) => PROBLEMS[code].status)), operation.answer.status];
    for (const status of [...statuses, 401, 403, 429, 500, 503])
      expect(Object.keys(found?.responses ?? {})).toContain(String(status));
    const parameters = JSON.stringify(found?.parameters);
    expect(parameters).toContain('X-Request-Id');
    expect(parameters.includes('Idempotency-Key')).toBe(operation.method === 'POST');
  });

  it('has examples that its own schemas take', () => {
    const bodies = operations.flatMap(({ body }) => (body === undefined ? [] : [body]));
    const tried = bodies.flatMap((body) => examplesOf(body).map((example) => body.safeParse(example).error));
    expect(tried.length).toBeGreaterThan(8);
    expect(tried.every((error) => error === undefined)).toBe(true);
  });

  it('describes query values as what they mean', () => {
    const parameters = described(OPERATIONS.listNotifications)?.parameters ?? [];
    const schemaOf = (name: string) => parameters.find((one) => 'name' in one && one.name === name);
    expect(schemaOf('limit')).toMatchObject({ schema: { type: 'integer', minimum: 1, maximum: 100 } });
    expect(schemaOf('state')).toMatchObject({ schema: { type: 'array' } });
  });

  it('leaves answers room to gain fields, and requests none', () => {
    const schemas = document.components?.schemas ?? {};
    expect(schemas['Notification']).not.toHaveProperty('additionalProperties');
    expect(schemas['CreateNotification']).toHaveProperty('additionalProperties', false);
  });

  it('says what goes together', () => {
    const schemas = document.components?.schemas ?? {};
    expect(schemas['CreateNotification']).toHaveProperty('anyOf', [
      { required: ['userId'], properties: { userId: { type: 'string' } } },
      { required: ['to'] },
    ]);
    expect(schemas['CreateBulk']).toHaveProperty('oneOf', [
      { required: ['notifications'] },
      { required: ['content', 'recipients'] },
    ]);
  });

  it('needs one of two ways to present a key, and of two to present an inbox token', () => {
    expect(document.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
    expect(Object.keys(document.components?.securitySchemes ?? {})).toEqual([
      'bearer',
      'apiKey',
      'inboxToken',
      'inboxCookie',
    ]);
    expect(document.paths?.['/api/inbox']?.get?.security).toEqual([{ inboxToken: [] }, { inboxCookie: [] }]);
    expect(document.paths?.['/api/inbox/tokens']?.post?.security).toBeUndefined();
  });

  it('describes the stream as what it is', () => {
    const stream = document.paths?.['/api/inbox/stream']?.get;
    const { content } = stream?.responses?.['200'] as { content: Record<string, { example: string }> };
    expect(Object.keys(content)).toEqual(['text/event-stream']);
    expect(content['text/event-stream']?.example).toContain('event: ready');
    expect(stream?.parameters).toContainEqual(expect.objectContaining({ in: 'header', name: 'Last-Event-ID' }));
  });
});

describe('the page', () => {
  const page = docsPage(document);

  it('shows every operation, and no link leads nowhere', () => {
    for (const { id } of operations) expect(page).toContain(`id="${id}"`);
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    for (const target of targets) expect(page).toContain(`id="${target}"`);
  });

  it('escapes what it shows', () => {
    const hostile = { ...document, info: { ...document.info, title: '<script>alert(1)</script>' } };
    expect(docsPage(hostile)).not.toContain('<script>');
  });
});
