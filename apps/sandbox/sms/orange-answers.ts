import type { ServerResponse } from 'node:http';
import type { Fault } from '../faults.js';
import { retryAfterHeader } from '../http-moment.js';
import { answerJson } from '../http.js';

/** Orange's errors: those of OneAPI in a `requestError`, those of its front end with a code of their own. */
const EXCEPTIONS = {
  SVC0002: { http: 400, kind: 'serviceException', text: 'Invalid input value for message part %1' },
  SVC0004: { http: 400, kind: 'serviceException', text: 'No valid addresses provided in message part %1' },
  POL0001: { http: 403, kind: 'policyException', text: 'A policy error occurred. Error code is %1' },
} as const;
type OrangeError = keyof typeof EXCEPTIONS;

const FRONT_END: Readonly<Record<number, object>> = {
  401: { code: 42, message: 'Expired credentials', description: 'The requested service needs valid credentials.' },
  403: { code: 50, message: 'Access denied', description: 'The application cannot access the requested resource.' },
  429: { code: 53, message: 'Too many requests', description: 'The application has made too many calls.' },
  500: { code: 1, message: 'Internal error', description: 'The request failed due to an internal error.' },
  503: { code: 5, message: 'The service is temporarily unavailable', description: 'Please try again later.' },
};

export const isOrangeError = (code: string): code is OrangeError => Object.hasOwn(EXCEPTIONS, code);

export const answerOrangeError = (
  response: ServerResponse,
  code: OrangeError,
  variable: string,
  headers: object = {},
): void => {
  const { http, kind, text } = EXCEPTIONS[code];
  answerJson(
    response,
    http,
    { requestError: { [kind]: { messageId: code, text, variables: [variable] } } },
    { ...headers },
  );
};

export const answerOrangeStatus = (response: ServerResponse, status: number, headers: object = {}): void =>
  answerJson(response, status, FRONT_END[status] ?? { code: status, message: 'a fault was asked for' }, { ...headers });

export const answerTokenRefusal = (response: ServerResponse, status: number, headers: object = {}): void =>
  answerJson(
    response,
    status,
    status === 401
      ? { error: 'invalid_client', error_description: 'The client credentials are not valid' }
      : { error: 'temporarily_unavailable', error_description: 'Unable to obtain access token' },
    { ...headers },
  );

export const answerOrangeFault = (response: ServerResponse, fault: Fault): void => {
  const headers = retryAfterHeader(fault);
  if (fault.errorCode !== undefined && isOrangeError(fault.errorCode))
    answerOrangeError(response, fault.errorCode, 'address', headers);
  else answerOrangeStatus(response, fault.status ?? 500, headers);
};
