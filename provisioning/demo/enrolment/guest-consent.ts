const DAY_MS = 86_400_000;

/** What every guest of the demo has agreed to: it holds for a day. */
export function guestConsent(now: number): { noticeVersion: string; purpose: string; givenAt: string; expiresAt: string } {
  return {
    noticeVersion: 'demo-1',
    purpose: 'recognition at the entrance',
    givenAt: new Date(now).toISOString(),
    expiresAt: new Date(now + DAY_MS).toISOString(),
  };
}
