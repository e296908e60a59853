import type { LimitBody } from '#contracts/http/limits';
import type { LimitInForce } from './rules.js';

export const limitView = ({ subject, row, rule }: LimitInForce): LimitBody => ({
  serviceName: subject.serviceName,
  channel: subject.channel,
  provider: subject.provider,
  kind: row?.kind ?? rule?.kind ?? 'token-bucket',
  max: rule?.max ?? null,
  periodSeconds: row?.periodSeconds ?? (rule?.periodMs ?? 1_000) / 1_000,
  onLimit: rule?.onLimit ?? row?.onLimit ?? null,
  isDefault: row === null,
  updatedAt: row?.updatedAt.toISOString() ?? null,
  updatedBy: row?.updatedBy ?? null,
});
