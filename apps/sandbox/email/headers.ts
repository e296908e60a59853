/** The headers of a message by lower-case name, unfolded but not decoded; of repeated ones the first. */
export const readHeaders = (raw: Buffer): Record<string, string> => {
  const end = raw.indexOf('\r\n\r\n');
  const text = raw.toString('latin1', 0, end === -1 ? raw.length : end);
  const headers: Record<string, string> = {};
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] ??= line.slice(colon + 1).trim();
  }
  return headers;
};

/** What stands before the @ of a Message-ID. */
export const localPart = (messageId: string | undefined): string | null =>
  /^<?([^@<>\s]+)@/.exec(messageId ?? '')?.[1] ?? null;
