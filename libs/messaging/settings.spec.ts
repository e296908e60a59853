import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '#config/settings';
import { MessagingSettings } from './settings.js';

describe('MessagingSettings', () => {
  it('has a default for all but the address', () => {
    const settings = parseSettings(MessagingSettings, { RABBITMQ_URI: 'amqps://user:secret@rabbit:5671/house' });
    expect(settings).toMatchObject({ RABBITMQ_PREFETCH: 1_000, RABBITMQ_DRAIN_MS: 20_000 });
  });

  it.each(['http://user:secret@rabbit', 'secret', 'amqp:secret@'])('refuses %s without telling it', (uri) => {
    const parse = (): unknown => parseSettings(MessagingSettings, { RABBITMQ_URI: uri });
    expect(parse).toThrow(/RABBITMQ_URI must be amqp:/);
    expect(parse).not.toThrow(/secret@/);
  });

  it('names the variable that is out of bounds', () => {
    const parse = (): unknown =>
      parseSettings(MessagingSettings, { RABBITMQ_URI: 'amqp://localhost', RABBITMQ_PREFETCH: '0' });
    expect(parse).toThrow(/RABBITMQ_PREFETCH/);
  });
});
