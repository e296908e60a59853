import { Controller, Inject } from '@nestjs/common';
import { issuedView, keyView } from '#access/views';
import type { CreatedKey, KeyBody } from '#contracts/http/keys';
import { OPERATIONS } from '#contracts/http/operations';
import type { Page } from '#paging/cursor';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class KeysController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'keys'>) {}

  @Handles(OPERATIONS.createKey)
  async create(call: CallOf<typeof OPERATIONS.createKey>): Promise<CreatedKey> {
    return issuedView(await this.parts.keys.create(call.caller, call.body));
  }

  @Handles(OPERATIONS.listKeys)
  async list(call: CallOf<typeof OPERATIONS.listKeys>): Promise<Page<KeyBody>> {
    const { data, page } = await this.parts.keys.list(call.caller, call.query);
    return { data: data.map(keyView), page };
  }

  @Handles(OPERATIONS.rotateKey)
  async rotate(call: CallOf<typeof OPERATIONS.rotateKey>): Promise<CreatedKey> {
    call.about(call.params.id);
    return issuedView(await this.parts.keys.rotate(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.revokeKey)
  revoke(call: CallOf<typeof OPERATIONS.revokeKey>): Promise<void> {
    call.about(call.params.id);
    return this.parts.keys.revoke(call.caller, call.params.id);
  }
}
