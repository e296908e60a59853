import { Controller, Inject } from '@nestjs/common';
import type { LimitBody } from '#contracts/http/limits';
import { OPERATIONS } from '#contracts/http/operations';
import type { ProviderBody } from '#contracts/http/providers';
import { limitView } from '#limits/views';
import { providerView } from '#providers/views';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class ProvidersController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'providers' | 'limits'>) {}

  @Handles(OPERATIONS.listProviders)
  async list(): Promise<{ data: ProviderBody[] }> {
    return { data: (await this.parts.providers.list()).map(providerView) };
  }

  @Handles(OPERATIONS.disableProvider)
  async disable({ caller, params, body }: CallOf<typeof OPERATIONS.disableProvider>): Promise<ProviderBody> {
    const { channel, name } = params;
    return providerView(await this.parts.providers.disable(caller, channel, name, body.reason ?? null));
  }

  @Handles(OPERATIONS.enableProvider)
  async enable({ params }: CallOf<typeof OPERATIONS.enableProvider>): Promise<ProviderBody> {
    return providerView(await this.parts.providers.enable(params.channel, params.name));
  }

  @Handles(OPERATIONS.listLimits)
  async limits({ caller }: CallOf<typeof OPERATIONS.listLimits>): Promise<{ data: LimitBody[] }> {
    return { data: (await this.parts.limits.list(caller)).map(limitView) };
  }

  @Handles(OPERATIONS.putChannelLimit)
  async putChannelLimit(call: CallOf<typeof OPERATIONS.putChannelLimit>): Promise<LimitBody> {
    return limitView(await this.parts.limits.put(call.caller, { ...call.params, provider: null }, call.body));
  }

  @Handles(OPERATIONS.deleteChannelLimit)
  deleteChannelLimit({ caller, params }: CallOf<typeof OPERATIONS.deleteChannelLimit>): Promise<void> {
    return this.parts.limits.delete(caller, { ...params, provider: null });
  }

  @Handles(OPERATIONS.putProviderLimit)
  async putProviderLimit({ caller, params, body }: CallOf<typeof OPERATIONS.putProviderLimit>): Promise<LimitBody> {
    const { channel, name: provider } = params;
    return limitView(await this.parts.limits.put(caller, { serviceName: null, channel, provider }, body));
  }

  @Handles(OPERATIONS.deleteProviderLimit)
  deleteProviderLimit({ caller, params }: CallOf<typeof OPERATIONS.deleteProviderLimit>): Promise<void> {
    const { channel, name: provider } = params;
    return this.parts.limits.delete(caller, { serviceName: null, channel, provider });
  }
}
