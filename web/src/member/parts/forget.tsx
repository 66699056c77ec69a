//! After everything was deleted: also what these pages keep can go.
import { useTranslation } from "react-i18next";
import { Section } from "../../ui/page";
import { forgetAll } from "../core/forgetting";
import type { Opened } from "../core/session";
import { ActButton, useAct } from "./act";

export function Forget({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-mine");
  const forgetting = useAct(() => forgetAll(opened));
  return (
    <Section title={t("forget.title")}>
      <p>{t("forget.text")}</p>
      <ActButton danger act={forgetting} given={[]} label={t("forget.do")} working={() => t("working.looking")} kept={t("kept.asBefore")} />
    </Section>
  );
}
