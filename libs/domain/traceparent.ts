/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A W3C traceparent of version 00; null for whatever else a header may hold. */
export const asTraceparent = (value: unknown): string | null =>
  typeof value === 'string' && TRACEPARENT.test(value) ? value : null;

/** 32 hex digits. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);
