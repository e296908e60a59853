import { describe, expect, it } from '@jest/globals';
import { asTraceparent, traceIdOf } from './traceparent.js';

const SOUND = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('a traceparent', () => {
  it('is taken as it is, and names its trace', () => {
    expect(asTraceparent(SOUND)).toBe(SOUND);
    expect(traceIdOf(SOUND)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  it.each([
    undefined,
    null,
    7,
    [SOUND, SOUND],
    '',
    'nonsense',
    `${SOUND}\r\nX-Forged: 1`,
    `${SOUND}-more`,
    SOUND.toUpperCase(),
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  ])('is not %j', (value) => {
    expect(asTraceparent(value)).toBeNull();
  });
});
