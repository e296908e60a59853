import { z } from 'zod';
import { ServiceName } from './primitives.js';

/** What providers post: theirs to define, so that unknown members are left alone. */

export const OrangeReceiptQuery = z.strictObject({
  token: z
    .string()
    .max(128)
    .optional()
    .meta({ description: 'One of ORANGE_RECEIPT_TOKENS, as it stands in the URL that Orange was given.' }),
});

const DeliveryInfo = z.object({ address: z.string().optional(), deliveryStatus: z.string() });

export const OrangeReceipt = z
  .object({
    deliveryInfoNotification: z.object({
      callbackData: z.string().min(1).max(255).meta({ description: 'Resource id of the SMS.' }),
      deliveryInfo: z.union([DeliveryInfo, z.array(DeliveryInfo).min(1)]),
    }),
  })
  .meta({
    id: 'OrangeReceipt',
    examples: [
      {
        deliveryInfoNotification: {
          callbackData: 'b1f6c1d0-6f5c-4f6b-8d2e-5a5d0f0f3c11',
          deliveryInfo: { address: 'tel:+2250707123456', deliveryStatus: 'DeliveredToTerminal' },
        },
      },
    ],
  });
export type OrangeReceipt = z.output<typeof OrangeReceipt>;

export const TwilioReceiptQuery = z.strictObject({
  serviceName: ServiceName,
  deliveryId: z.string().regex(/^[0-9a-f]{24}-[0-9]{1,2}$/, 'must be the id of a delivery'),
});

export const TwilioReceipt = z
  .object({ MessageSid: z.string(), MessageStatus: z.string(), ErrorCode: z.string().optional() })
  .catchall(z.string())
  .meta({
    id: 'TwilioReceipt',
    examples: [{ MessageSid: 'SM00000000000000000000000000000000', MessageStatus: 'delivered' }],
  });
export type TwilioReceipt = z.output<typeof TwilioReceipt>;
