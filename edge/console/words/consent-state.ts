import type { Customer } from '../api/types.ts';
import type { Tone } from './camera-state.ts';
import { formatDay } from './time.ts';

/** State of a consent in words: what it means for recognition. */
export function consentState({ consentState: state, consent }: Pick<Customer, 'consentState' | 'consent'>): {
  tone: Tone;
  word: string;
  meaning: string;
} {
  switch (state) {
    case 'valid':
      return { tone: 'good', word: `Consent until ${formatDay(consent.expiresAt)}`, meaning: 'This person may be recognised.' };
    case 'expired':
      return { tone: 'warn', word: 'Consent expired', meaning: 'This person is not recognised until a new consent is recorded.' };
    case 'withdrawn':
      return {
        tone: 'bad',
        word: 'Consent withdrawn',
        meaning: 'This person is never recognised. The record is kept until it is removed.',
      };
  }
}
