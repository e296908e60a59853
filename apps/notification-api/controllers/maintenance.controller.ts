import { Controller, Inject } from '@nestjs/common';
import type { CleanedUp } from '#contracts/http/maintenance';
import { OPERATIONS } from '#contracts/http/operations';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class MaintenanceController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'maintenance' | 'log'>) {}

  @Handles(OPERATIONS.cleanUp)
  async cleanUp({ caller, body }: CallOf<typeof OPERATIONS.cleanUp>): Promise<CleanedUp> {
    const { createdBefore, services, more } = await this.parts.maintenance.cleaned(caller, body);
    const notifications = services.reduce((sum, one) => sum + one.notifications, 0);
    const { dryRun } = body;
    if (!dryRun) this.parts.log.info({ actor: caller.actor, createdBefore, services }, 'old notifications removed');
    return { dryRun, createdBefore: createdBefore.toISOString(), services, notifications, more };
  }
}
