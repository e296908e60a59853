import { parseJson } from '../http.js';
import type { Provider } from '../provider.js';
import { isOrangeError } from './orange-answers.js';
import { OrangeRequest, orangeRoutes } from './orange.js';
import { ReceiptSender } from './receipts.js';
import { isTwilioError, twilioRoutes } from './twilio.js';

/**
 * Orange's SMS API and Twilio's, on their own paths, with one ledger and one list of faults. Deliveries are told apart
 * by `clientCorrelator` (Orange) and by the callback (Twilio). Faults of stage `auth` strike Orange's tokens.
 */
export const sms: Provider = {
  faultRules: {
    stages: ['send', 'auth'],
    usualStage: () => 'send',
    problem: ({ errorCode }) =>
      errorCode === undefined || isOrangeError(errorCode) || isTwilioError(errorCode)
        ? null
        : 'errorCode is not one of Orange or Twilio',
  },

  start: (stage) => {
    const receipts = new ReceiptSender(stage.settings, stage.closing);
    return Promise.resolve({
      routes: [...orangeRoutes(stage, receipts), ...twilioRoutes(stage, receipts)],
      port: null,
      certificate: null,
      close: () => Promise.resolve(),
    });
  },

  describe: ({ raw }) => {
    const orange = OrangeRequest.safeParse(parseJson(raw));
    const form = Object.fromEntries(new URLSearchParams(raw.toString()));
    return Promise.resolve(
      orange.success
        ? {
            title: null,
            text: orange.data.outboundSMSMessageRequest.outboundSMSTextMessage.message,
            content: orange.data,
          }
        : { title: null, text: form['Body'] ?? '', content: form },
    );
  },
};
