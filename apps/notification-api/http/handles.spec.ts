import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { BulkBody } from '#contracts/http/bulk';
import { OPERATIONS } from '#contracts/http/operations';
import type { CallOf } from './call.js';
import { Handles, IncompleteApi, requireComplete } from './handles.js';

@Controller()
class Once {
  @Handles(OPERATIONS.getBulk)
  show(_call: CallOf<typeof OPERATIONS.getBulk>): Promise<BulkBody> {
    return Promise.reject(new Error('not called'));
  }
}

@Controller()
class Twice extends Once {
  @Handles(OPERATIONS.getBulk)
  override show(call: CallOf<typeof OPERATIONS.getBulk>): Promise<BulkBody> {
    return super.show(call);
  }
}

describe('the check at boot', () => {
  it('is content with one handler for each operation', () => {
    expect(() => requireComplete([Once], ['getBulk'])).not.toThrow();
  });

  it('names what has no handler, or two', () => {
    expect(() => requireComplete([Once, Twice], ['getBulk', 'createKey'])).toThrow(
      new IncompleteApi('the API is incomplete: getBulk has 2 handlers, createKey has no handler'),
    );
  });
});
