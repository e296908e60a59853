import { describe, expect, it } from '@jest/globals';

// nest-commander is CommonJS and requires ES modules: jest allows that only of modules that are loaded already.
await import('@nestjs/core');
const { isCurrent, REFERENCE } = await import('./reference.js');

describe('the reference of settings and commands', () => {
  it.each(Object.keys(REFERENCE))('%s says what the schemas say (npm run reference writes it)', async (path) => {
    expect(await isCurrent(path)).toBe(true);
  });
});
