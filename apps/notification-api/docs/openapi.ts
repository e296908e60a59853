import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiParameters,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { z } from 'zod';
import { INBOX_COOKIE } from '#contracts/http/inbox';
import { DEFAULT_LIMIT, MAX_LIMIT } from '#contracts/http/lists';
import { type Operation, OPERATIONS } from '#contracts/http/operations';
import { IdempotencyKey } from '#contracts/http/primitives';
import { ProblemBody } from '#contracts/http/problem';
import { type ProblemCode, PROBLEMS, problemType } from '#contracts/problems';
import { MAX_BULK } from '#contracts/vocabulary';

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** What any call may answer. */
const ANY: readonly ProblemCode[] = [
  'unauthorized',
  'insufficient_scope',
  'service_not_allowed',
  'rate_limited',
  'internal_error',
  'unavailable',
];
const WITH_BODY: readonly ProblemCode[] = [
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
  'validation_failed',
];
const RETRY_AFTER: ReadonlySet<number> = new Set([409, 429, 503]);

const requestIdHeader = {
  'X-Request-Id': {
    description: 'Of the request: the one that the caller sent, or a new one.',
    schema: { type: 'string' as const },
  },
};
const replayedHeader = {
  'Idempotent-Replayed': {
    description: 'Present when this repeats the answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string' as const, enum: ['true'] },
  },
};
const retryAfterHeader = {
  'Retry-After': { description: 'Seconds to wait before repeating.', schema: { type: 'integer' as const, minimum: 0 } },
};

const RequestHeaders = z.object({
  'X-Request-Id': z.string().optional().meta({
    description:
      'Told back in the answer and written to every log line. One is made where none is given, or where it is not 1 to 64 of the characters A-Z a-z 0-9 . _ -',
  }),
});
const PostHeaders = RequestHeaders.extend({
  'Idempotency-Key': IdempotencyKey.optional().meta({
    description: 'The same request with the same key is carried out once, and answered the same for at least 24 hours.',
    examples: ['0b6a1f6e-order-4711'],
  }),
});

/** The same, where a reader asks. */
const ANY_READER: readonly ProblemCode[] = [
  'invalid_token',
  'token_expired',
  'origin_not_allowed',
  'rate_limited',
  'internal_error',
  'not_configured',
  'unavailable',
];

const StreamHeaders = RequestHeaders.extend({
  'Last-Event-ID': z.string().optional().meta({
    description: 'Id of the last event received. What changed since then is told first, for up to a day.',
  }),
});

const codesOf = (operation: Operation): ProblemCode[] => {
  const codes = new Set<ProblemCode>([...operation.problems, ...(operation.reader === true ? ANY_READER : ANY)]);
  if (operation.body !== undefined) for (const code of WITH_BODY) codes.add(code);
  if (operation.query !== undefined) codes.add('invalid_query');
  if (operation.params !== undefined) codes.add('not_found');
  if (operation.method === 'POST') codes.add('invalid_header');
  return [...codes];
};

const problemExample = (code: ProblemCode) => {
  const { status, title } = PROBLEMS[code];
  const value = { type: problemType(code), title, status, code, detail: title, instance: '/api', requestId: '9f2c01' };
  return [code, { summary: title, value }] as const;
};

const problemAnswers = (operation: Operation): ZodOpenApiOperationObject['responses'] => {
  const byStatus = Map.groupBy(codesOf(operation), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, codes]) => [
        String(status),
        {
          description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
          headers: { ...requestIdHeader, ...(RETRY_AFTER.has(status) ? retryAfterHeader : {}) },
          content: {
            'application/problem+json': {
              schema: ProblemBody,
              examples: Object.fromEntries(codes.map(problemExample)),
            },
          },
        },
      ]),
  );
};

const STREAM =
  'Every event has an id; a comment comes now and then so that nothing in between takes the connection for dead. Events may come again: apply one only if its version is greater than what you hold.';

const STREAM_EXAMPLE = [
  'retry: 2000\nid: 1795248000000\nevent: ready\ndata: {"resumed":false}',
  `id: 1795248000250\nevent: item\ndata: {"id":"66f1c0de9a1b2c3d4e5f6071-1","notificationId":"66f1c0de9a1b2c3d4e5f6071","version":1,"type":"reminder","priority":"normal","title":"Insulin","body":"Time for your 8:00 dose","data":{},"reference":null,"groupId":null,"createdAt":"2026-11-21T08:00:00.250Z","readAt":null}`,
  'id: 1795248900000\nevent: end\ndata: {"reason":"token_expired"}',
]
  .map((event) => `${event}\n\n`)
  .join('');

const contentOf = ({ body, stream }: Operation['answer']): Pick<ZodOpenApiResponseObject, 'content'> => {
  if (stream === true)
    return { content: { 'text/event-stream': { schema: { type: 'string' }, example: STREAM_EXAMPLE } } };
  return body === undefined ? {} : { content: { 'application/json': { schema: body } } };
};

const describe = (operation: Operation): string =>
  [
    operation.signed === true
      ? 'Needs no key, but what proves that the provider calls.'
      : operation.reader === true
        ? `Needs an inbox token; in a cookie, an Origin that is allowed too${operation.method === 'GET' ? ' where there is one' : ''}.`
        : `Needs the scope ${operation.scopes.map((scope) => `\`${scope}\``).join(' or ')}.`,
    ...(operation.answer.stream === true ? [STREAM] : []),
    ...(operation.bodyLimit === undefined ? [] : [`The body may have ${operation.bodyLimit / 1024 / 1024} MiB.`]),
  ].join(' ');

const object = (schema: z.ZodType | undefined): z.ZodObject | undefined =>
  schema instanceof z.ZodObject ? schema : undefined;

const paramsOf = (operation: Operation): ZodOpenApiParameters => {
  const path = object(operation.params);
  const query = object(operation.query);
  return {
    header:
      operation.answer.stream === true ? StreamHeaders : operation.method === 'POST' ? PostHeaders : RequestHeaders,
    ...(path === undefined ? {} : { path }),
    ...(query === undefined ? {} : { query }),
  };
};

const contentType = ({ form }: Operation) =>
  form === true ? ('application/x-www-form-urlencoded' as const) : ('application/json' as const);

const describeOperation = (operation: Operation): ZodOpenApiOperationObject => {
  const { answer, body } = operation;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: describe(operation),
    ...(operation.reader === true ? { security: [{ inboxToken: [] }, { inboxCookie: [] }] } : {}),
    requestParams: paramsOf(operation),
    ...(operation.signed === true ? { security: [] } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: operation.bodyOptional !== true,
            content: { [contentType(operation)]: { schema: body } },
          },
        }),
    responses: {
      [String(answer.status)]: {
        description: answer.description,
        headers: { ...requestIdHeader, ...(operation.method === 'POST' ? replayedHeader : {}) },
        ...contentOf(answer),
      },
      ...problemAnswers(operation),
    },
  };
};

const pathsOf = (operations: readonly Operation[]): ZodOpenApiPathsObject => {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describeOperation(operation) };
  }
  return paths;
};

interface JsonSchema {
  additionalProperties?: unknown;
  minimum?: unknown;
  maximum?: unknown;
}

type Parameter = Extract<
  NonNullable<NonNullable<OpenApiDocument['paths']>[string]['parameters']>[number],
  { in: string }
>;

/** Query values arrive as text and are read as something else: here they are described as what they mean. */
const describeQuery = (parameter: Parameter): void => {
  if (
    parameter.in !== 'query' ||
    parameter.schema === undefined ||
    !('type' in parameter.schema || 'anyOf' in parameter.schema)
  )
    return;
  if (parameter.name === 'limit')
    parameter.schema = { type: 'integer', minimum: 1, maximum: MAX_LIMIT, examples: [DEFAULT_LIMIT] };
  const repeated = parameter.schema.anyOf?.find((one) => 'type' in one && one.type === 'array');
  if (repeated !== undefined) parameter.schema = repeated;
};

/** Answers gain fields: what is not described yet is allowed in them. No number of ours comes near what is safe. */
const describeAnswer = ({ jsonSchema, io }: { jsonSchema: JsonSchema; io: 'input' | 'output' }): void => {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

/** The whole contract, made of the schemas that requests are checked by. */
export const openApiDocument = (version: string): OpenApiDocument => {
  const document = createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Carillon',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
        description: [
          'Sends notifications by push, e-mail, SMS, webhook, Slack and an in-app inbox, loses none that it accepted, and shows what became of each.',
          'Answers only gain fields and enum values: ignore what you do not know.',
          'Errors are problems of RFC 9457: branch on `code`, which is only added to.',
          `One bulk takes up to ${MAX_BULK.toLocaleString('en')} recipients.`,
        ].join('\n\n'),
      },
      servers: [{ url: '/' }],
      security: [{ bearer: [] }, { apiKey: [] }],
      tags: [...new Set(Object.values(OPERATIONS).map(({ tag }) => tag))].map((name) => ({ name })),
      paths: pathsOf(Object.values(OPERATIONS)),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' },
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'X-API-Key',
            description: 'The same key, for those who need Authorization for something else.',
          },
          inboxToken: { type: 'http', scheme: 'bearer', description: 'A token from POST /api/inbox/tokens.' },
          inboxCookie: {
            type: 'apiKey',
            in: 'cookie',
            name: INBOX_COOKIE,
            description: 'The same token, in a cookie that the backend of the page has set.',
          },
        },
      },
    },
    { override: describeAnswer },
  );
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of [path.get, path.post, path.put, path.delete])
      for (const parameter of operation?.parameters ?? []) if ('in' in parameter) describeQuery(parameter);
  return document;
};
