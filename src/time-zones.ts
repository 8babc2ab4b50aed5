/** Which names of time zones are good. */

/**
 * Names of the IANA time zone database without a slash. The runtime also takes names of its own, such as `IST` and `ACT`,
 * which the database does not have and which mean something else to others; the database gets no new ones of this kind.
 */
const SINGLE_WORDS = new Map(
  (
    'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran ' +
    'Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK Singapore ' +
    'Turkey UCT UTC Universal W-SU WET Zulu'
  )
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

/** Parts of names whose capitals are not those of a title. */
const ODD_PARTS = new Map(
  'ACT BajaNorte BajaSur ComodRivadavia DeNoronha DumontDUrville EasterIsland IN LHI McMurdo NSW UCT US UTC au es of'
    .split(' ')
    .map((part) => [part.toLowerCase(), part]),
);

/** With the capitals that the database gives it. */
const spelt = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[a-z]+/g, (part) => ODD_PARTS.get(part) ?? part.charAt(0).toUpperCase() + part.slice(1))
    .replace('/Gmt', '/GMT');

/** Names with a slash that the runtime knows and the database never had, or has no more. */
const NO_LONGER = /^(SystemV\/.*|US\/Pacific-New|Canada\/East-Saskatchewan)$/i;

/**
 * The name as the IANA time zone database spells it, links such as `Asia/Calcutta` included.
 *
 * @returns undefined for anything else: offsets such as `+07:00` are no names, nor are abbreviations.
 */
export function timeZoneName(name: string): string | undefined {
  if (!name.includes('/')) return SINGLE_WORDS.get(name.toLowerCase());
  if (!/^[A-Za-z]/.test(name) || NO_LONGER.test(name)) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    // The runtime resolves links; where it only mended the case, its spelling is the right one.
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : spelt(name);
  } catch {
    return undefined;
  }
}

export const isTimeZone = (name: string): boolean => timeZoneName(name) !== undefined;
