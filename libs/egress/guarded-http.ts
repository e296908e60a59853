import { allowListOf, type AllowList, type AllowLists } from './allow-list.js';
import { guardedConnector, plainConnector, type ConnectorOptions } from './connector.js';
import { HttpClient } from './http-client.js';

export interface GuardedHttpOptions extends ConnectorOptions {
  connectionsPerOrigin: number;
}

/** For the operators' own URLs: goes wherever they say. */
export const plainHttp = (options: GuardedHttpOptions): HttpClient =>
  new HttpClient(plainConnector(options), options.connectionsPerOrigin);

/**
 * For URLs that strangers chose. Services with different allow lists never share a connection: one that is open because
 * the first may reach that address would let the second one in.
 */
export class GuardedHttp {
  private readonly byService = new Map<string, HttpClient>();
  private readonly byAllowList = new Map<string, HttpClient>();

  constructor(
    private readonly lists: AllowLists,
    private readonly options: GuardedHttpOptions,
  ) {}

  forService(service: string): HttpClient {
    let client = this.byService.get(service);
    if (client === undefined) {
      client = this.forAllowList(allowListOf(this.lists, service));
      this.byService.set(service, client);
    }
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([...this.byAllowList.values()].map((client) => client.close()));
  }

  private forAllowList(allow: AllowList): HttpClient {
    const key = [...allow.hosts, ...allow.ranges.map(([network, bits]) => `${network.toString()}/${bits}`)]
      .sort()
      .join(',');
    let client = this.byAllowList.get(key);
    if (client === undefined) {
      client = new HttpClient(guardedConnector(allow, this.options), this.options.connectionsPerOrigin);
      this.byAllowList.set(key, client);
    }
    return client;
  }
}
