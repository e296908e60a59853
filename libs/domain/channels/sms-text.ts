import type { SmsEncoding } from '#contracts/vocabulary';

/** How a text travels by SMS. 3GPP TS 23.038 (alphabets), TS 23.040 9.2.3.24.1 (parts of a longer text). */

export interface SmsParts {
  encoding: SmsEncoding;
  /** SMS that the text takes: what networks count, and bill. */
  segments: number;
}

/** One septet each. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Two septets each: an escape before the character. */
const EXTENSION = new Set('\f^{}\\[~]|€');

/** What one SMS holds: septets, or UTF-16 code units; less where it is part of a longer text, whose header takes room. */
const ROOM = { 'gsm-7': { alone: 160, part: 153 }, 'ucs-2': { alone: 70, part: 67 } } as const;

const septets = (character: string): number | null => (BASIC.has(character) ? 1 : EXTENSION.has(character) ? 2 : null);

/** Parts needed for characters of these sizes; none is cut in two. */
const packed = (sizes: readonly number[], room: number): number => {
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > room) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return parts;
};

/** GSM 7 bit where every character has a place in it, else UCS-2 (UTF-16) for the whole text. */
export const smsParts = (text: string): SmsParts => {
  const characters = [...text];
  const inSeptets = characters.map(septets);
  const encoding = inSeptets.includes(null) ? 'ucs-2' : 'gsm-7';
  const sizes = encoding === 'ucs-2' ? characters.map(({ length }) => length) : inSeptets.map((size) => size ?? 0);
  const { alone, part } = ROOM[encoding];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return { encoding, segments: total <= alone ? 1 : packed(sizes, part) };
};
