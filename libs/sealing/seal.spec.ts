import { describe, expect, it } from '@jest/globals';
import { seal, unseal } from './seal.js';

const KEPT = 'carillon kept answer';

describe('what is sealed', () => {
  const answer = { id: '1', key: 'car_secret' };

  it('is read with the secret it was sealed with', () => {
    const sealed = seal(answer, 'mine', KEPT);
    expect(unseal(sealed, 'mine', KEPT)).toEqual(answer);
    expect(JSON.stringify(sealed)).not.toContain('secret');
  });

  it('looks different each time', () => {
    expect(seal(answer, 'mine', KEPT)).not.toEqual(seal(answer, 'mine', KEPT));
  });

  it('is not read with another secret, nor for another purpose, nor when it was changed', () => {
    const { sealed } = seal(answer, 'mine', KEPT);
    expect(() => unseal({ sealed }, 'yours', KEPT)).toThrow();
    expect(() => unseal({ sealed }, 'mine', 'carillon access token')).toThrow();
    const bytes = Buffer.from(sealed, 'base64');
    bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
    expect(() => unseal({ sealed: bytes.toString('base64') }, 'mine', KEPT)).toThrow();
  });
});
