/** Calendars as the programs of this world write them, for the tests of reading one. */

/** A calendar of events, each given by its lines. */
export function calendar(...events: string[][]): string {
  const lines = events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

const google = (date: string, next: string, summary: string) => `BEGIN:VEVENT
DTSTART;VALUE=DATE:${date}
DTEND;VALUE=DATE:${next}
DTSTAMP:20261120T031500Z
UID:${date}_ab3k9id@google.com
CLASS:PUBLIC
CREATED:20250131T092118Z
DESCRIPTION:Hari libur nasional\\nUntuk menyembunyikan perayaan\\, buka Setelan 
 Google Kalender > Hari Libur di Indonesia
LAST-MODIFIED:20250131T092118Z
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:${summary}
TRANSP:TRANSPARENT
END:VEVENT`;

/** Single days, folded lines, escaped commas; LF as a copy on disk may have it. */
export const GOOGLE = `BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Hari Libur di Indonesia
X-WR-TIMEZONE:UTC
${google('20260101', '20260102', 'Hari Tahun Baru')}
${google('20260320', '20260321', 'Cuti Bersama Idul Fitri')}
${google('20260321', '20260322', 'Hari Idul Fitri')}
${google('20260322', '20260323', 'Hari Idul Fitri')}
${google('20260527', '20260528', 'Idul Adha (Lebaran Haji)')}
${google('20260817', '20260818', 'Hari Proklamasi Kemerdekaan R.I.')}
${google('20261225', '20261226', 'Hari Raya Natal\\, libur nasional')}
${google('20190603', '20190604', 'Cuti Bersama 2019')}
${google('20190604', '20190605', 'Cuti Bersama 2019')}
END:VCALENDAR
`;

/** Rules instead of dates, a zone that only other events use, whole days written as midnights, an alarm. */
export const OUTLOOK = [
  'BEGIN:VCALENDAR',
  'METHOD:PUBLISH',
  'PRODID:Microsoft Exchange Server 2010',
  'VERSION:2.0',
  'BEGIN:VTIMEZONE',
  'TZID:Eastern Standard Time',
  'BEGIN:STANDARD',
  'DTSTART:16010101T020000',
  'TZOFFSETFROM:-0400',
  'TZOFFSETTO:-0500',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11',
  'END:STANDARD',
  'END:VTIMEZONE',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008-1',
  'SUMMARY;LANGUAGE=en-US:Independence Day',
  'DTSTART;VALUE=DATE:20160704',
  'DTEND;VALUE=DATE:20160705',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTHDAY=4;BYMONTH=7',
  'X-MICROSOFT-CDO-ALLDAYEVENT:TRUE',
  'BEGIN:VALARM',
  'TRIGGER:-PT15M',
  'DESCRIPTION:REMINDER',
  'END:VALARM',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008-2',
  'SUMMARY;LANGUAGE=en-US:Thanksgiving and the day after',
  'DTSTART;VALUE=DATE:20201126',
  'DURATION:P2D',
  'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008-3',
  'SUMMARY:Company day',
  'DTSTART;TZID=Eastern Standard Time:20270503T000000',
  'DTEND;TZID=Eastern Standard Time:20270504T000000',
  'X-MICROSOFT-CDO-BUSYSTATUS:OOF',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008-4',
  'SUMMARY:Board meeting',
  'DTSTART;TZID=Eastern Standard Time:20270510T090000',
  'DTEND;TZID=Eastern Standard Time:20270510T103000',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:040000008200E00074C5B7101A82E008-5',
  'SUMMARY:Summer party',
  'STATUS:CANCELLED',
  'DTSTART;VALUE=DATE:20270702',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');
