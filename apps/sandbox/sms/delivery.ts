/** The notification that a delivery id of Carillon's names: neither provider is told of it otherwise. */
export const notificationOf = (deliveryId: string | null): string | null =>
  /^([0-9a-f]{24})-\d+$/.exec(deliveryId ?? '')?.[1] ?? null;
