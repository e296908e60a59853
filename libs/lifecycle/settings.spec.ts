import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '#config/settings';
import { approvalByOthers, approvalSettings } from './settings.js';

const SERVICES = ['diabetes', 'wellness'];
const byOthers = (value?: string): string[] => {
  const settings = parseSettings(approvalSettings, value === undefined ? {} : { APPROVAL_BY_OTHERS: value });
  return SERVICES.filter(approvalByOthers(settings, SERVICES));
};

describe('APPROVAL_BY_OTHERS', () => {
  it('is of no service, of some, or of all', () => {
    expect(byOthers()).toEqual([]);
    expect(byOthers('wellness')).toEqual(['wellness']);
    expect(byOthers('*')).toEqual(SERVICES);
  });

  it('names no service that there is not', () => {
    expect(() => byOthers('wellnes')).toThrow('APPROVAL_BY_OTHERS must name services');
    expect(() => byOthers('A B')).toThrow('APPROVAL_BY_OTHERS');
  });
});
