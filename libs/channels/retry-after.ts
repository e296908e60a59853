/** However long a provider asks to be left alone, one day is the most: it may be wrong, or somebody's idea of a joke. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/** `Retry-After` in milliseconds from `now`, at least 0; null if there is none, or none that can be read. RFC 9110, 10.2.3: seconds or a date. */
export const retryAfterMs = (header: string | string[] | undefined, now: Date): number | null => {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}/.test(text)
      ? Date.parse(text) - now.getTime()
      : NaN;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_MS);
};
