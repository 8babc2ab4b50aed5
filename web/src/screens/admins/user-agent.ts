/** What a browser calls itself, for people: Firefox on Windows. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

const find = (names: [RegExp, string][], text: string) => names.find(([form]) => form.test(text))?.[1];

export function deviceOf(userAgent: string | null): { kind: 'desktop' | 'mobile' | 'program'; name?: string } {
  if (!userAgent) return { kind: 'program' };
  const browser = find(BROWSERS, userAgent);
  if (!browser) return { kind: 'program', name: userAgent.split(/[\s/]/)[0] };
  const system = find(SYSTEMS, userAgent);
  return {
    kind: system === 'Android' || system === 'iOS' ? 'mobile' : 'desktop',
    name: system ? `${browser} · ${system}` : browser,
  };
}
