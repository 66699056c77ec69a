//! A researcher's question as a sentence.
import { useTranslation } from "react-i18next";
import type { DatasetView } from "../api/generated";
import { useFormat } from "./format";
import type { Query } from "../member/core/rules";

type Coded = { system: string; code: string };

export function useQuestion(datasets: readonly DatasetView[]): (query: Query | undefined) => string {
  const { t } = useTranslation();
  const { list } = useFormat();
  const name = ({ system, code }: Coded) =>
    datasets.flatMap(({ codes }) => codes ?? []).find((known) => known.system === system && known.code === code)?.name ?? `${system} ${code}`;
  return (query) => {
    if (!query) return t("question.unknown");
    const { condition, sex, age, observation } = query.cohort;
    const limits = [
      condition && t("question.condition", { name: name(condition) }),
      sex && t(`question.sex.${sex}`),
      age && t("question.age", age),
      observation && t("question.observation", { name: name(observation) }),
    ].filter((limit) => limit !== undefined);
    const whom = limits.length > 0 ? list(limits) : t("question.everyone");
    if (query.ask.kind === "count") return t("question.count", { whom });
    const of = query.ask.of;
    const what = "observation" in of ? name(of.observation) : t("question.years");
    return t(`question.${query.ask.kind}`, { what, whom });
  };
}
