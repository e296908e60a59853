import { describe, expect, it } from '@jest/globals';
import { nestsDeeper } from './json-body.js';

describe('nestsDeeper', () => {
  it.each([
    ['[[1],[2],{"a":[3]}]', 3, false],
    ['[[1],[2],{"a":[3]}]', 2, true],
    ['"[[[[[["', 0, false],
    [String.raw`["\"[[[", "\\", "]]]"]`, 1, false],
    [String.raw`["\\", [[]]]`, 2, true],
    ['7', 0, false],
  ])('looks at brackets outside of strings: %s', (text, limit, deeper) => {
    expect(nestsDeeper(text, limit)).toBe(deeper);
  });
});
