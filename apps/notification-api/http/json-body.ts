import { errorCodes, type FastifyInstance } from 'fastify';
import './request.js';
import { DomainError } from '#domain/errors';

/** Deeper than any body of this API can be; what recurses over a body is safe below it. */
const MAX_DEPTH = 64;
const FORM = 'application/x-www-form-urlencoded';
const [QUOTE, BACKSLASH, OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [34, 92, 91, 123, 93, 125];

/** The body is no JSON, or nested beyond any sense. */
export class MalformedJson extends DomainError {
  readonly code = 'malformed_json';
  constructor() {
    super('the body must be one JSON value');
  }
}

/** Whether brackets nest deeper than `limit`; of text that is no JSON the answer means nothing. */
export const nestsDeeper = (text: string, limit: number): boolean => {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1;
  }
  return false;
};

/** JSON is the only content that is read, but for the calls that take a form; an empty body is no body, whatever its type says. */
export const readBodies = (fastify: FastifyInstance): void => {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined);
    if (nestsDeeper(body, MAX_DEPTH)) return done(new MalformedJson());
    return parseJson(request, body, (error, value) => (error === null ? done(null, value) : done(new MalformedJson())));
  });
  fastify.addContentTypeParser<string>(FORM, { parseAs: 'string' }, (request, body, done) => {
    if (request.operation?.form === true) return done(null, Object.fromEntries(new URLSearchParams(body)));
    return done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(FORM));
  });
};
