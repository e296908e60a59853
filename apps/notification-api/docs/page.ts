import type { OpenApiDocument } from './openapi.js';

/** The contract as one page of plain HTML: no script, nothing loaded from elsewhere. */

type PathItem = NonNullable<OpenApiDocument['paths']>[string];
type Described = NonNullable<PathItem['get']>;
type SchemaOrRef = NonNullable<NonNullable<OpenApiDocument['components']>['schemas']>[string];

interface Field {
  name: string;
  required: boolean;
  schema: SchemaOrRef | undefined;
}

const METHODS = ['get', 'post', 'put', 'delete'] as const;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
const prose = (text = ''): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
const pretty = (value: unknown): string => `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;

const typeOf = (schema: SchemaOrRef | undefined): string => {
  if (schema === undefined) return 'any';
  if ('$ref' in schema && typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
  }
  if (!('type' in schema || 'anyOf' in schema || 'enum' in schema || 'oneOf' in schema)) return 'any';
  if (schema.enum !== undefined) return schema.enum.map((value) => `<code>${escape(String(value))}</code>`).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map(typeOf).join(' | ');
  if (schema.type === 'array') return `${typeOf(schema.items)}[]`;
  return escape([schema.type].flat().join(' | '));
};

const noteOf = (schema: SchemaOrRef | undefined): string => {
  if (schema === undefined || !('description' in schema || 'default' in schema)) return '';
  const value =
    'default' in schema && schema.default !== undefined ? ` Default: \`${JSON.stringify(schema.default)}\`.` : '';
  return prose(`${schema.description ?? ''}${value}`);
};

const table = (fields: readonly Field[]): string =>
  fields.length === 0
    ? ''
    : `<table>${fields
        .map(
          ({ name, required, schema }) =>
            `<tr><th><code>${escape(name)}</code>${required ? ' *' : ''}</th><td>${typeOf(schema)}</td><td>${noteOf(schema)}</td></tr>`,
        )
        .join('')}</table>`;

const fieldsOf = (schema: SchemaOrRef): Field[] =>
  'properties' in schema
    ? Object.entries(schema.properties ?? {}).map(([name, inner]) => ({
        name,
        required: schema.required?.includes(name) ?? false,
        schema: inner,
      }))
    : [];

const examplesOf = (schema: SchemaOrRef): string =>
  'examples' in schema && Array.isArray(schema.examples) ? schema.examples.map(pretty).join('') : '';

const parametersOf = (operation: Described): string =>
  table(
    (operation.parameters ?? []).flatMap((parameter) =>
      'in' in parameter
        ? [
            {
              name: `${parameter.name} (${parameter.in})`,
              required: parameter.required === true,
              schema: {
                ...parameter.schema,
                ...(parameter.description === undefined ? {} : { description: parameter.description }),
              },
            },
          ]
        : [],
    ),
  );

const bodyOf = (operation: Described): string => {
  const body = operation.requestBody;
  const schema = body !== undefined && 'content' in body ? body.content['application/json']?.schema : undefined;
  return schema === undefined ? '' : `<p>Body: ${typeOf(schema)}</p>`;
};

const answersOf = (operation: Described): string =>
  `<table>${Object.entries(operation.responses ?? {})
    .map(([status, answer]: [string, { description?: string; content?: Record<string, { schema?: SchemaOrRef }> }]) => {
      const schema = Object.values(answer.content ?? {})[0]?.schema;
      return `<tr><th>${escape(status)}</th><td>${schema === undefined ? '' : typeOf(schema)}</td><td>${prose(answer.description)}</td></tr>`;
    })
    .join('')}</table>`;

const operationOf = (path: string, method: string, operation: Described): string =>
  `<details id="${escape(operation.operationId ?? '')}"><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escape(path)}</code> ${prose(operation.summary)}</summary>
<p>${prose(operation.description)}</p>${parametersOf(operation)}${bodyOf(operation)}<h4>Answers</h4>${answersOf(operation)}</details>`;

const tagOf = (document: OpenApiDocument, tag: string): string => {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation?.tags?.includes(tag) === true ? [operationOf(path, method, operation)] : [];
    }),
  );
  return `<h2>${escape(tag)}</h2>${operations.join('\n')}`;
};

const schemasOf = (document: OpenApiDocument): string =>
  Object.entries(document.components?.schemas ?? {})
    .map(
      ([name, schema]) =>
        `<section id="schema-${escape(name)}"><h3>${escape(name)}</h3>${table(fieldsOf(schema))}${examplesOf(schema)}</section>`,
    )
    .join('\n');

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:62rem;margin:2rem auto;padding:0 1rem}
h2{text-transform:capitalize;margin-top:2.5rem}details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4rem}.get{color:#2779d1}.post{color:#1c8a4a}.put{color:#a66b00}.delete{color:#c0392b}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{border-top:1px solid #8883;padding:.25rem .6rem .25rem 0;text-align:left;vertical-align:top;font-weight:normal}
th{white-space:nowrap}pre{background:#8881;padding:.7rem;border-radius:6px;overflow:auto}section:target{outline:2px solid #2779d1;outline-offset:.5rem}`;

export const docsPage = (document: OpenApiDocument): string => {
  const { title, version, description = '' } = document.info;
  const tags = (document.tags ?? []).map(({ name }) => tagOf(document, name)).join('\n');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)} API</title><style>${STYLE}</style></head>
<body><h1>${escape(title)} <small>${escape(version)}</small></h1>${description
    .split('\n\n')
    .map((paragraph) => `<p>${prose(paragraph)}</p>`)
    .join('')}
<p>For programs: <a href="/docs/json">OpenAPI ${escape(document.openapi)}</a>. Send a key as <code>Authorization: Bearer &lt;key&gt;</code> or <code>X-API-Key</code>.</p>
${tags}<h2>Schemas</h2>${schemasOf(document)}</body></html>`;
};
