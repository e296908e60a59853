export const SMS_PROVIDERS = ['orange', 'twilio'] as const;
export type SmsProviderName = (typeof SMS_PROVIDERS)[number];
