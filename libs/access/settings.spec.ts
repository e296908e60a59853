import { describe, expect, it } from '@jest/globals';
import { InvalidSettings, parseSettings } from '#config/settings';
import { AmqpUsers } from './amqp-users.js';
import { accessSettings } from './settings.js';

describe('AMQP_USERS', () => {
  const callers = (text?: string): AmqpUsers =>
    new AmqpUsers(parseSettings(accessSettings, text === undefined ? {} : { AMQP_USERS: text }).AMQP_USERS);

  it('says what each user may do', () => {
    const users = callers(
      'billing=diabetes,wellness:notifications:send,notifications:read; crm=test:dead-letters:read;',
    );
    expect(users.callerOf('billing')).toEqual({
      actor: 'amqp:billing',
      owner: 'billing',
      services: new Set(['diabetes', 'wellness']),
      scopes: new Set(['notifications:send', 'notifications:read']),
    });
    expect(users.callerOf('crm')?.services).toEqual(new Set(['test']));
  });

  it('lets nobody else do anything', () => {
    for (const user of ['guest', '', null, undefined]) expect(callers().callerOf(user)).toBeNull();
  });

  it.each([
    'billing',
    'billing=diabetes',
    'billing=diabetes:fly',
    'billing=Diabetes!:notifications:send',
    'billing=:notifications:send',
    'a=test:notifications:send;a=test:notifications:read',
  ])('is refused when it is %s', (text) => {
    expect(() => callers(text)).toThrow(InvalidSettings);
    expect(() => callers(text)).toThrow(/AMQP_USERS must look like billing=/);
  });
});
