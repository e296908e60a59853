import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { testApi } from '../spec-api.js';

describe('a gateway that stops', () => {
  it('does not wait for connections on which nothing was asked', async () => {
    const { app } = await testApi();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const accepted = once(app.getHttpServer(), 'connection');
    const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
    const closed = once(socket, 'close');
    await accepted;
    await app.close();
    await closed;
    expect(socket.bytesWritten).toBe(0);
  });
});
