import type { ServerResponse } from 'node:http';
import type { Fault } from '../faults.js';
import { retryAfterHeader } from '../http-moment.js';
import { answer, answerJson } from '../http.js';

/**
 * FCM's errors as its HTTP v1 API words them: google.rpc.Status, with the code of FCM in a detail of type FcmError.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
const FCM_ERRORS = {
  INVALID_ARGUMENT: { http: 400, status: 'INVALID_ARGUMENT', message: 'Request contains an invalid argument.' },
  THIRD_PARTY_AUTH_ERROR: { http: 401, status: 'UNAUTHENTICATED', message: 'Auth error from APNS or Web Push Service' },
  SENDER_ID_MISMATCH: { http: 403, status: 'PERMISSION_DENIED', message: 'SenderId mismatch' },
  UNREGISTERED: { http: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' },
  QUOTA_EXCEEDED: { http: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded for this project.' },
  INTERNAL: { http: 500, status: 'INTERNAL', message: 'Internal error encountered.' },
  UNAVAILABLE: { http: 503, status: 'UNAVAILABLE', message: 'The service is currently unavailable.' },
} as const;

export type FcmError = keyof typeof FCM_ERRORS;

export const isFcmError = (code: string): code is FcmError => Object.hasOwn(FCM_ERRORS, code);

/** What a bare status means. 401 and 403 are refused by Google before FCM sees them, so they carry no code of FCM. */
const BY_STATUS: Readonly<Record<number, FcmError>> = {
  400: 'INVALID_ARGUMENT',
  404: 'UNREGISTERED',
  429: 'QUOTA_EXCEEDED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};
const WITHOUT_CODE: Readonly<Record<number, { status: string; message: string }>> = {
  401: {
    status: 'UNAUTHENTICATED',
    message: 'Request had invalid authentication credentials. Expected OAuth 2 access token.',
  },
  403: { status: 'PERMISSION_DENIED', message: "Permission 'cloudmessaging.messages.create' denied." },
};

/** Each error is the same text every time, so it is written out once. */
const errorBody = (http: number, status: string, message: string, details: readonly object[]): object => ({
  error: { code: http, message, status, ...(details.length > 0 && { details }) },
});

export const answerFcmError = (
  response: ServerResponse,
  code: FcmError,
  options: { message?: string; headers?: object } = {},
): void => {
  const { http, status, message } = FCM_ERRORS[code];
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: code }];
  answerJson(response, http, errorBody(http, status, options.message ?? message, details), { ...options.headers });
};

export const answerUnauthenticated = (response: ServerResponse): void => answerBareStatus(response, 401, {});

/** Answers as a fault of kind `status` asks: by `errorCode`, else by what its `status` means to FCM. */
export const answerFault = (response: ServerResponse, fault: Fault): void => {
  const headers = retryAfterHeader(fault);
  const code = fault.errorCode ?? BY_STATUS[fault.status ?? 0];
  if (code !== undefined && isFcmError(code)) answerFcmError(response, code, { headers });
  else answerBareStatus(response, fault.status ?? 500, headers);
};

const answerBareStatus = (response: ServerResponse, http: number, headers: object): void => {
  const known = WITHOUT_CODE[http];
  if (known !== undefined) answerJson(response, http, errorBody(http, known.status, known.message, []), { ...headers });
  // A front end of Google's answers in HTML.
  else answer(response, http, 'text/html; charset=UTF-8', `<html><title>Error ${http}</title></html>`, { ...headers });
};
