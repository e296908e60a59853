import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Address, AddressRange, AllowList } from './allow-list.js';

/**
 * Which addresses a request that a stranger asked for may reach.
 * https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
 */

/** Where clouds hand credentials to whoever can reach them: no allow list opens these. */
const METADATA: readonly AddressRange[] = [
  '169.254.169.254/32', // AWS, Azure, Google, DigitalOcean, Oracle, OpenStack
  '169.254.169.253/32', // AWS, its resolver
  '169.254.170.0/24', // AWS, credentials of ECS tasks and EKS pods
  '169.254.0.23/32', // Tencent
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure, its wire server
  '192.0.0.192/32', // Oracle
  'fd00:ec2::/32', // AWS
  'fd20:ce::254/128', // Google
  'fe80::a9fe:a9fe/128', // OpenStack
].map((cidr) => ipaddr.parseCIDR(cidr));

/** Names under which clouds serve the same. */
const METADATA_HOSTS: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'instance-data.ec2.internal',
]);

/** Addresses of the public internet, less what `range()` of ipaddr.js singles out. RFC 4291, 2.4: all of it lies in 2000::/3. */
const GLOBAL_UNICAST: AddressRange = ipaddr.parseCIDR('2000::/3');
/** IPv6 that only carries IPv4: mapped, compatible, translated (RFC 4291, 6145, 6052, 8215). */
const LAST_32_BITS: readonly AddressRange[] = [
  '::ffff:0:0/96',
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
].map((cidr) => ipaddr.parseCIDR(cidr));
const SIX_TO_FOUR: AddressRange = ipaddr.parseCIDR('2002::/16');
const TEREDO: AddressRange = ipaddr.parseCIDR('2001::/32');

const within = (address: Address, ranges: readonly AddressRange[]): boolean =>
  ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

const ipv4 = (bytes: readonly number[]): Address => ipaddr.fromByteArray([...bytes]);

/** The IPv4 address that packets to this IPv6 address end up at, or null. */
const embedded = (address: Address): Address | null => {
  if (address.kind() === 'ipv4' || ['loopback', 'unspecified'].includes(address.range())) return null;
  const bytes = address.toByteArray();
  if (within(address, LAST_32_BITS)) return ipv4(bytes.slice(12));
  if (within(address, [SIX_TO_FOUR])) return ipv4(bytes.slice(2, 6));
  // RFC 4380, 4: the client's address stands there inverted.
  if (within(address, [TEREDO])) return ipv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  return null;
};

const isMetadata = (address: Address): boolean => {
  const inner = embedded(address);
  return within(address, METADATA) || (inner !== null && within(inner, METADATA));
};

const isPublic = (address: Address): boolean =>
  address.range() === 'unicast' && (address.kind() === 'ipv4' || within(address, [GLOBAL_UNICAST]));

const isAllowed = (address: Address, { ranges }: AllowList): boolean => {
  if (!within(address, ranges)) return false;
  const inner = embedded(address);
  return inner === null || isPublic(inner) || within(inner, ranges);
};

/** The name as it is compared: lower case, without the dot at its end or the brackets of an IPv6 literal. */
export const bareHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

/** Whether a connection to `address`, which `host` was resolved to or is, may be made. An IPv6 address may have a zone. */
export const mayConnect = (address: string, host: string, allow: AllowList): boolean => {
  const name = bareHost(host);
  if (METADATA_HOSTS.has(name) || isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (isMetadata(parsed)) return false;
  return allow.hosts.has(name) || isPublic(parsed) || isAllowed(parsed, allow);
};
