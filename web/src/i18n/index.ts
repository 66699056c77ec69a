//! Words. Each room has a file a language, which is loaded with the room; `common` comes first.
import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";
import type { Room } from "./words";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "rochdale.language";
const files = import.meta.glob<Record<string, unknown>>("./*/*.json", { import: "default" });

const backend: BackendModule = {
  type: "backend",
  init: () => undefined,
  read: (language, room, done) => {
    const load = files[`./${language}/${room}.json`];
    if (!load) return done(new Error(`no words for ${language}/${room}`), null);
    load().then((words) => done(null, words), (error: unknown) => done(error as Error, null));
  },
};

export async function startWords(): Promise<void> {
  i18next.on("languageChanged", (language) => (document.documentElement.lang = language));
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: preferred(kept(), navigator.languages),
      supportedLngs: Object.keys(LANGUAGES),
      fallbackLng: false,
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false },
      saveMissing: true,
      // Tests read the console: a key without words fails them.
      missingKeyHandler: (languages, room, key) => console.error(`no words: ${languages.join()} ${room}:${key}`),
    });
}

/** The language that was chosen here, else the first of the browser's that there is. */
export function preferred(chosen: string | null, wanted: readonly string[]): Language {
  const known = (tag: string): tag is Language => tag in LANGUAGES;
  return [chosen ?? "", ...wanted].map((tag) => tag.slice(0, 2).toLowerCase()).find(known) ?? "en";
}

export const loadWords = (rooms: Room | Room[]): Promise<void> => i18next.loadNamespaces(rooms);

export async function speak(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
