import { describe, expect, it } from '@jest/globals';
import { seal, unseal } from './seal.js';

describe('a sealed answer', () => {
  const answer = { id: '1', key: 'car_secret' };

  it('is read with the secret it was sealed with', () => {
    const sealed = seal(answer, 'mine');
    expect(unseal(sealed, 'mine')).toEqual(answer);
    expect(JSON.stringify(sealed)).not.toContain('secret');
  });

  it('looks different each time', () => {
    expect(seal(answer, 'mine')).not.toEqual(seal(answer, 'mine'));
  });

  it('is not read with another secret, nor when it was changed', () => {
    const { sealed } = seal(answer, 'mine');
    expect(() => unseal({ sealed }, 'yours')).toThrow();
    const bytes = Buffer.from(sealed, 'base64');
    bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
    expect(() => unseal({ sealed: bytes.toString('base64') }, 'mine')).toThrow();
  });
});
