import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry of images that takes pushes, as the OCI Distribution Specification has it; what it got stays in memory. */
export interface Registry {
  /** host:port, without TLS */
  readonly address: string;
  /** `<repository>:<tag>` -> digest of its manifest */
  readonly manifests: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

export const startRegistry = async (): Promise<Registry> => {
  const blobs = new Set<string>();
  const manifests = new Map<string, string>();
  let uploads = 0;

  const blob = (request: IncomingMessage, response: ServerResponse, name: string, rest: string): void => {
    const asked = new URL(request.url ?? '', 'http://registry').searchParams.get('digest');
    if (request.method === 'HEAD') response.writeHead(blobs.has(rest) ? 200 : 404);
    else if (request.method === 'PUT' && asked !== null) {
      blobs.add(asked);
      response.writeHead(201, { location: `/v2/${name}/blobs/${asked}`, 'docker-content-digest': asked });
    } else {
      if (request.method === 'POST') uploads += 1;
      response.writeHead(202, { location: `/v2/${name}/blobs/uploads/${uploads}`, range: '0-0' });
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const content = await bodyOf(request);
    const path = new URL(request.url ?? '', 'http://registry').pathname;
    const [, name = '', kind, rest = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(path) ?? [];
    if (kind === 'blobs') blob(request, response, name, rest);
    else if (kind === 'manifests' && request.method === 'PUT') {
      const digest = digestOf(content);
      manifests.set(`${name}:${rest}`, digest);
      response.writeHead(201, { location: path, 'docker-content-digest': digest });
    } else response.writeHead(path === '/v2/' ? 200 : 404);
    response.end();
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    manifests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
