import { Controller, Inject } from '@nestjs/common';
import type { DeadLetterBody, DeadLetterItem } from '#contracts/http/dead-letters';
import { OPERATIONS } from '#contracts/http/operations';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import { deadLetterItem, deadLetterView } from '#queries/dead-letter-views';
import { defined } from '#queries/defined';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

interface TextPeriod {
  createdFrom?: string | undefined;
  createdTo?: string | undefined;
}

/** A filter as the use case takes it: times as dates, nothing undefined. */
const filterOf = <T extends TextPeriod>({ createdFrom, createdTo, ...same }: T) => ({
  ...defined(same),
  ...(createdFrom === undefined ? {} : { createdFrom: new Date(createdFrom) }),
  ...(createdTo === undefined ? {} : { createdTo: new Date(createdTo) }),
});

@Controller()
export class DeadLettersController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'deadLetters'>) {}

  @Handles(OPERATIONS.listDeadLetters)
  async list(call: CallOf<typeof OPERATIONS.listDeadLetters>): Promise<Page<DeadLetterItem>> {
    const { limit, cursor, ...filter } = call.query;
    const cursors = new Cursors('dead-letters', filter);
    const rows = await this.parts.deadLetters.list(call.caller, filterOf(filter), {
      limit: limit + 1,
      before: cursors.time(cursor),
    });
    const { data, page } = pageOf(rows, limit, (last) => cursors.ofTime(last));
    return { data: data.map(deadLetterItem), page };
  }

  @Handles(OPERATIONS.getDeadLetter)
  async show(call: CallOf<typeof OPERATIONS.getDeadLetter>): Promise<DeadLetterBody> {
    return deadLetterView(await this.parts.deadLetters.show(call.caller, call.params.id));
  }

  @Handles(OPERATIONS.replayDeadLetter)
  async replay(call: CallOf<typeof OPERATIONS.replayDeadLetter>): Promise<DeadLetterBody> {
    call.about(call.params.id);
    return deadLetterView(await this.parts.deadLetters.replay(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.replayDeadLetters)
  replayMatching(call: CallOf<typeof OPERATIONS.replayDeadLetters>): Promise<{ matched: number; replayed: number }> {
    return this.parts.deadLetters.replayMatching(call.caller, filterOf(call.body));
  }

  @Handles(OPERATIONS.dropDeadLetter)
  drop(call: CallOf<typeof OPERATIONS.dropDeadLetter>): Promise<void> {
    call.about(call.params.id);
    return this.parts.deadLetters.drop(call.caller, call.params.id);
  }
}
