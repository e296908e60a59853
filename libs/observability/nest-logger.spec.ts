import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logging.js';
import { nestLevelOf, nestLogger } from './nest-logger.js';

describe('what Nest says', () => {
  it('is a line like those of the app: warnings and errors', () => {
    const lines: string[] = [];
    const nest = nestLogger(createLogger('dispatcher', 'info', { write: (line) => void lines.push(line) }));
    nest.log('Mapped {/health, GET} route', 'RouterExplorer');
    nest.warn('Unsupported route path', 'LegacyRouteConverter');
    nest.error(new Error('cannot reach ada@example.org'), undefined, 'ExceptionsHandler');
    nest.error('cannot reach ada@example.org', 'Error: cannot reach ada@example.org\n    at x (y.js:1:1)', 'Server');
    expect(lines.join('')).not.toContain('ada@');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        level: 'warn',
        app: 'dispatcher',
        context: 'LegacyRouteConverter',
        msg: 'Unsupported route path',
      }),
      ...['ExceptionsHandler', 'Server'].map(
        (context): unknown =>
          expect.objectContaining({
            level: 'error',
            context,
            msg: 'cannot reach [redacted]',
            err: expect.objectContaining({ type: 'Error', message: 'cannot reach [redacted]' }) as unknown,
          }) as unknown,
      ),
    ]);
  });

  it.each([
    ['trace', 'trace'],
    ['debug', 'debug'],
    ['info', 'warn'],
    ['warn', 'warn'],
    ['error', 'error'],
    ['silent', 'silent'],
  ])('is its routine too only where the app logs finely: %s -> %s', (level, nest) => {
    expect(nestLevelOf(createLogger('dispatcher', level))).toBe(nest);
  });
});
