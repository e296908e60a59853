import { CHANNELS } from '#contracts/vocabulary';

/** Of the bulk's 64 random bits, 44 stay: two bulks of one second have the same once in 10^13 pairs. */
const KEPT_DIGITS = 19;
const NUMBER_DIGITS = 5;
/** Numbers kept for each item: one for the item itself, one for its group, the rest for the group's channels. */
const PER_ITEM = 16;

/**
 * Id of an item of a bulk, or of a part of it (a channel, or `group`): the same each time, so that a repeated chunk
 * inserts only what is missing. Those of one bulk lie side by side, in the order of its items: the database inserts them
 * with a tenth less work, and finds them again without an index of their own.
 */
export const itemId = (bulkId: string, index: number, part?: string): string => {
  const number = index * PER_ITEM + (part === undefined ? 0 : part === 'group' ? 1 : 2 + ordinalOf(part));
  return bulkId.slice(0, KEPT_DIGITS) + number.toString(16).padStart(NUMBER_DIGITS, '0');
};

/** The first and the last id that an item of a bulk may have. */
export const itemRange = (bulkId: string): { first: string; last: string } => {
  const prefix = bulkId.slice(0, KEPT_DIGITS);
  return { first: prefix + '0'.repeat(NUMBER_DIGITS), last: prefix + 'f'.repeat(NUMBER_DIGITS) };
};

const ordinalOf = (channel: string): number => (CHANNELS as readonly string[]).indexOf(channel);
