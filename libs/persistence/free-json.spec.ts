import { describe, expect, it } from '@jest/globals';
import { packJson, unpackJson } from './free-json.js';

describe('free JSON', () => {
  it('is stored as it is where MongoDB can hold it', () => {
    const value = { rx: '9931', nested: [{ deep: true }, null, 1.5] };
    expect(packJson(value)).toBe(value);
  });

  it.each([
    ['an operator', { $set: 1 }],
    ['a path', { 'a.b': 1 }],
    ['a NUL', { 'a\0b': 1 }],
    ['a type of the driver', { inner: [{ _bsontype: 'ObjectId' }] }],
    ['a prototype', JSON.parse('{"inner":{"__proto__":{"polluted":true}}}') as Record<string, unknown>],
  ])('is stored as text where a name looks like %s', (_what, value) => {
    const stored = packJson(value);
    expect(typeof stored).toBe('string');
    expect(JSON.stringify(unpackJson(stored))).toBe(JSON.stringify(value));
  });

  it('is empty where a projection left it out', () => {
    expect(unpackJson(undefined)).toEqual({});
  });
});
