//! The facts of a study: each is so, is not, or is not known.
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import { Field, Options } from "../ui/form";
import { FACTS, type Protocol, Protocol as Schema } from "./application";

type Said = "yes" | "no" | "unknown";
const ALL: readonly Said[] = ["yes", "no", "unknown"];
const saidOf = (value: boolean | undefined): Said => (value === undefined ? "unknown" : value ? "yes" : "no");

export function Facts({ facts, needsDisease, change }: { facts: Protocol; needsDisease: boolean; change: (facts: Protocol) => void }) {
  const { t } = useTranslation("researcher-buy");
  const set = (part: Record<string, unknown>) => {
    // What is not known is absent, not empty.
    const next = Object.entries({ ...facts, ...part }).filter(([, value]) => value !== undefined && value !== "");
    change(Object.fromEntries(next) as Protocol);
  };
  return (
    <>
      {FACTS.map((fact) => (
        <Options
          key={fact}
          legend={t(`facts.${fact}.ask`)}
          name={fact}
          value={saidOf(facts[fact])}
          options={ALL}
          choose={(said) => set({ [fact]: said === "unknown" ? undefined : said === "yes" })}
          text={(said) => [t(`facts.said.${said}`)]}
          isShort
        />
      ))}
      <Field label={t("facts.country.ask")} hint={t("facts.country.hint")} value={facts.country ?? ""} change={(country) => set({ country: country.trim().toUpperCase().slice(0, 2) })} width={4} />
      <Field label={t("facts.institution.ask")} hint={t("facts.institution.hint")} value={facts.institution ?? ""} change={(institution) => set({ institution: institution.trimStart() })} />
      <Field label={t("facts.project.ask")} hint={t("facts.project.hint")} value={facts.project ?? ""} change={(project) => set({ project: project.trimStart() })} />
      {needsDisease && (
        <>
          <Field label={t("facts.disease.system")} hint={t("facts.disease.systemHint")} value={facts.disease?.system ?? ""} change={(system) => set({ disease: diseaseOf(system.trim(), facts.disease?.code ?? "") })} />
          <Field label={t("facts.disease.code")} hint={t("facts.disease.codeHint")} value={facts.disease?.code ?? ""} change={(code) => set({ disease: diseaseOf(facts.disease?.system ?? "", code.trim()) })} />
        </>
      )}
    </>
  );
}

/** What of the facts cannot be signed as it stands. */
export function useWrong(): (facts: Protocol, needsDisease: boolean) => string | undefined {
  const { t } = useTranslation("researcher-buy");
  return (facts, needsDisease) => {
    if (facts.country !== undefined && !/^[A-Z]{2}$/.test(facts.country)) return t("facts.wrong.country");
    if (needsDisease && !(facts.disease?.system && facts.disease.code)) return t("facts.wrong.disease");
    return v.is(Schema, facts) ? undefined : t("facts.wrong.other");
  };
}

const diseaseOf = (system: string, code: string) => (system || code ? { system, code } : undefined);

/** The facts that are known, a sentence each. */
export function useFacts(): (facts: Protocol) => string[] {
  const { t } = useTranslation("researcher-buy");
  return (facts) => {
    const said = FACTS.flatMap((fact) => (facts[fact] === undefined ? [] : [t(`facts.${fact}.${facts[fact] ? "yes" : "no"}`)]));
    if (facts.country) said.push(t("facts.country.is", { country: facts.country }));
    if (facts.institution) said.push(t("facts.institution.is", { institution: facts.institution }));
    if (facts.project) said.push(t("facts.project.is", { project: facts.project }));
    if (facts.disease) said.push(t("facts.disease.is", { code: `${facts.disease.system}|${facts.disease.code}` }));
    return said.length > 0 ? said : [t("facts.none")];
  };
}
