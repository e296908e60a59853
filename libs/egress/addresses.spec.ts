import { describe, expect, it } from '@jest/globals';
import { mayConnect } from './addresses.js';
import { NOTHING_ALLOWED, allowListOf, parseAllowLists, type AllowList } from './allow-list.js';

const allowing = (text: string): AllowList => {
  const lists = parseAllowLists(`test=${text}`);
  if (lists === null) throw new Error(`not an allow list: ${text}`);
  return allowListOf(lists, 'test');
};

const PUBLIC = [
  '93.184.215.14',
  '8.8.8.8',
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.0.1',
  '100.128.0.1',
  '2606:2800:220:1::1',
  '2a00:1450::1',
];

const NOT_PUBLIC = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.1.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::8.8.8.8',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::a00:1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:db8::1',
  '2001:2::1',
  '100::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
  '5f00::1',
];

const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
  // Teredo for 169.254.169.254: inverted.
  '2001:0:808:808::5601:5601',
];

const EVERYWHERE = '0.0.0.0/0,::/0,somewhere.example,metadata.google.internal';

describe('the guard of outgoing requests', () => {
  it.each(PUBLIC)('lets %s through', (address) => {
    expect(mayConnect(address, 'somewhere.example', NOTHING_ALLOWED)).toBe(true);
  });

  it.each(NOT_PUBLIC)('refuses %s, unless the name is allowed', (address) => {
    expect(mayConnect(address, 'somewhere.example', NOTHING_ALLOWED)).toBe(false);
    expect(mayConnect(address, 'Somewhere.Example.', allowing('somewhere.example'))).toBe(true);
    expect(mayConnect(address, 'elsewhere.example', allowing('somewhere.example'))).toBe(false);
  });

  it.each(METADATA)('refuses %s whatever is allowed', (address) => {
    expect(mayConnect(address, 'somewhere.example', allowing(EVERYWHERE))).toBe(false);
    expect(mayConnect(address, address, allowing(`${address},${EVERYWHERE}`))).toBe(false);
  });

  it('refuses the names of metadata services whatever they resolve to', () => {
    expect(mayConnect('8.8.8.8', 'metadata.google.internal', allowing(EVERYWHERE))).toBe(false);
    expect(mayConnect('8.8.8.8', 'Metadata.Google.Internal.', allowing(EVERYWHERE))).toBe(false);
  });

  it.each(['', 'localhost', '127.0.0.1.example', '1.2.3'])('refuses %j, which is no address', (address) => {
    expect(mayConnect(address, 'somewhere.example', NOTHING_ALLOWED)).toBe(false);
  });

  it.each([
    ['127.0.0.1', '127.0.0.0/8', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.2', '127.0.0.1', false],
    ['10.1.2.3', '10.0.0.0/16', false],
    ['::1', '::1', true],
    ['fd12::1', 'fd12::/16', true],
    ['::1', '0.0.0.0/0', false],
    ['::ffff:127.0.0.1', '127.0.0.1', false],
    // What a network with DNS64 needs; what is private stays so.
    ['64:ff9b::808:808', '64:ff9b::/96', true],
    ['64:ff9b::a00:1', '64:ff9b::/96', false],
    ['64:ff9b::a00:1', '64:ff9b::/96,10.0.0.0/8', true],
  ])('reaches %s where %s is allowed: %s', (address, list, expected) => {
    expect(mayConnect(address, 'somewhere.example', allowing(list))).toBe(expected);
  });
});

describe('allow lists', () => {
  it('hold for their service, and those of * for all', () => {
    const lists = parseAllowLists(' test = 127.0.0.1/32 , localhost ; diabetes=10.0.0.0/8;*=hooks.internal; ');
    if (lists === null) throw new Error('not read');
    expect([...allowListOf(lists, 'test').hosts]).toEqual(['localhost', 'hooks.internal']);
    expect(allowListOf(lists, 'test').ranges).toHaveLength(1);
    expect([...allowListOf(lists, 'wellness').hosts]).toEqual(['hooks.internal']);
    expect(allowListOf(lists, 'wellness').ranges).toHaveLength(0);
  });

  it('may be empty', () => {
    expect(parseAllowLists('')?.size).toBe(0);
  });

  it.each([
    '127.0.0.1',
    '=127.0.0.1',
    'test=',
    'test=a,,b',
    'Test=a',
    'test=a;test=b',
    'test=10.0.0.0/33',
    'test=300.1.1.1',
    'test=10.1',
    'test=http://a',
    'test=a b',
    'test=*.example',
  ])('cannot read %j', (text) => {
    expect(parseAllowLists(text)).toBeNull();
  });
});
