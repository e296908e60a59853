import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { bareHost, mayConnect } from './addresses.js';
import type { AllowList } from './allow-list.js';

/** The guard refused: every address that the name stands for is one that a stranger must not make us reach. */
export class AddressNotAllowed extends Error {
  override readonly name = 'AddressNotAllowed';
  constructor() {
    super('the host is, or resolves to, an address that must not be reached from here');
  }
}

export type ResolveHost = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectorOptions {
  connectTimeoutMs: number;
  /** PEM of authorities to trust instead of the usual ones. */
  ca?: string;
  resolve?: ResolveHost;
}

const resolveByDns: ResolveHost = (hostname, callback) => dnsLookup(hostname, { all: true }, callback);

const buildOptions = ({ connectTimeoutMs, ca }: ConnectorOptions): buildConnector.BuildOptions => ({
  timeout: connectTimeoutMs,
  ...(ca === undefined ? {} : { ca }),
});

export const plainConnector = (options: ConnectorOptions): buildConnector.connector =>
  buildConnector(buildOptions(options));

/**
 * Connects only to addresses that passed the check. The check stands in the resolution that the socket itself uses, so
 * that a name which changes its mind between check and connection (DNS rebinding) gains nothing.
 * Fails with AddressNotAllowed.
 */
export const guardedConnector = (allow: AllowList, options: ConnectorOptions): buildConnector.connector => {
  const resolve = options.resolve ?? resolveByDns;

  const lookup: LookupFunction = (hostname, { all }, callback) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return callback(error, []);
      const addresses = found.filter(({ address }) => mayConnect(address, hostname, allow));
      const first = addresses[0];
      if (first === undefined) return callback(new AddressNotAllowed(), []);
      if (all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };

  const connect = buildConnector({ ...buildOptions(options), lookup });
  return (target, callback) => {
    // Sockets do not resolve what already is an address.
    const host = bareHost(target.hostname);
    if (isIP(host) !== 0 && !mayConnect(host, host, allow)) {
      queueMicrotask(() => callback(new AddressNotAllowed(), null));
      return;
    }
    connect(target, callback);
  };
};
