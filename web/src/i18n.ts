/** English and Indonesian: a file of texts for each screen, found by its name. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = { en: 'English', id: 'Bahasa Indonesia' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'omnistream.language';
const files = import.meta.glob<Record<string, unknown>>('./locales/*/*.json', { eager: true, import: 'default' });

const resources: Record<string, Record<string, Record<string, unknown>>> = {};
for (const [path, texts] of Object.entries(files)) {
  const [, language, namespace] = /locales\/(\w+)\/([\w-]+)\.json$/.exec(path)!;
  resources[language!] = { ...resources[language!], [namespace!]: texts };
}

const preferred = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);

void i18next.use(initReactI18next).init({
  resources,
  lng: preferred in LANGUAGES ? preferred : 'en',
  fallbackLng: 'en',
  defaultNS: 'common',
  interpolation: { escapeValue: false },
});

/** How dates and numbers are written: as in the reader's own country, where the browser names one for this language. */
export const localeOf = (language: string): string =>
  navigator.languages.find((locale) => locale.split('-')[0] === language) ?? language;

export function setLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
  void i18next.changeLanguage(language);
}

const mark = (language: string) => {
  document.documentElement.lang = language;
};
mark(i18next.language);
i18next.on('languageChanged', mark);
