import type { Fault, Moment } from './faults.js';
import type { Exchange } from './http.js';

/** The faults that look the same on every HTTP provider; the rest is its own. */
export const httpMoment = (
  { request, response }: Exchange,
  own: Pick<Moment, 'record' | 'accept' | 'refuse'>,
): Moment => ({
  record: own.record,
  accept: () => {
    if (!response.destroyed) own.accept();
  },
  refuse: (fault) => {
    if (!response.destroyed) own.refuse(fault);
  },
  reset: () => void request.socket.resetAndDestroy(),
  close: () => void request.socket.destroy(),
});

export const retryAfterHeader = (fault: Fault): { 'retry-after'?: string } =>
  fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
