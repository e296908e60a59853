import ipaddr from 'ipaddr.js';
import { ServiceName } from '#contracts/http/primitives';

/** Places that the guard lets through although they are not public. */
export interface AllowList {
  /** Names and address literals, compared whole, in lower case. */
  hosts: ReadonlySet<string>;
  ranges: readonly AddressRange[];
}

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [network: Address, prefixBits: number];

/** By service; what stands under `*` holds for every service. */
export type AllowLists = ReadonlyMap<string, AllowList>;

export const EVERY_SERVICE = '*';
export const NOTHING_ALLOWED: AllowList = { hosts: new Set(), ranges: [] };

const HOST = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

const parseEntry = (entry: string): { host: string } | { range: AddressRange } | null => {
  if (ipaddr.isValidCIDR(entry)) return { range: ipaddr.parseCIDR(entry) };
  if (ipaddr.IPv4.isValidFourPartDecimal(entry)) return { range: [ipaddr.parse(entry), 32] };
  if (ipaddr.IPv6.isValid(entry)) return { range: [ipaddr.parse(entry), 128] };
  const host = entry.toLowerCase();
  return HOST.test(host) && !/^[\d.]+$/.test(host) ? { host } : null;
};

const parseList = (text: string): AllowList | null => {
  const hosts = new Set<string>();
  const ranges: AddressRange[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    const parsed = parseEntry(entry);
    if (parsed === null) return null;
    if ('host' in parsed) hosts.add(parsed.host);
    else ranges.push(parsed.range);
  }
  return { hosts, ranges };
};

/**
 * Reads `service=entry,entry;service=entry`, where an entry is a host name, an address or a CIDR block, and the service
 * `*` stands for all. Null where the text is not so.
 */
export const parseAllowLists = (text: string): AllowLists | null => {
  const lists = new Map<string, AllowList>();
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const service = part.slice(0, equals).trim();
    const list = equals < 1 ? null : parseList(part.slice(equals + 1));
    if (list === null || lists.has(service)) return null;
    if (service !== EVERY_SERVICE && !ServiceName.safeParse(service).success) return null;
    lists.set(service, list);
  }
  return lists;
};

/** What holds for one service: its own list and that of every service. */
export const allowListOf = (lists: AllowLists, service: string): AllowList => {
  const own = lists.get(service) ?? NOTHING_ALLOWED;
  const all = lists.get(EVERY_SERVICE) ?? NOTHING_ALLOWED;
  return { hosts: new Set([...own.hosts, ...all.hosts]), ranges: [...own.ranges, ...all.ranges] };
};
