import { describe, expect, it } from '@jest/globals';
import { isCurrent, REFERENCE } from './reference.js';

describe('the reference of settings', () => {
  it.each(Object.keys(REFERENCE))('%s says what the schemas say (npm run reference writes it)', (path) => {
    expect(isCurrent(path)).toBe(true);
  });
});
