//! What a question to all members may be, as the rules have it.

const QUESTION_BYTES = 1_000;
const OPTION_BYTES = 200;

export interface Wrong {
  readonly question?: "empty" | "long";
  readonly options?: "few" | "long" | "twice";
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

export function wrongIn(question: string, options: readonly string[]): Wrong {
  const said = options.map((option) => option.trim()).filter(Boolean);
  const asked = question.trim();
  const ofQuestion = asked === "" ? "empty" : bytes(asked) > QUESTION_BYTES ? "long" : undefined;
  const ofOptions = said.length < 2 ? "few" : said.some((option) => bytes(option) > OPTION_BYTES) ? "long" : new Set(said).size < said.length ? "twice" : undefined;
  return { ...(ofQuestion && { question: ofQuestion }), ...(ofOptions && { options: ofOptions }) };
}
