//! What a data cooperative is, and who you can be.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readBudget, readCooperative, readTreasury, readWelcome } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Figures, PageHead, Section } from "../ui/page";
import { Try } from "./try";

export const needs = () => [readCooperative(), readTreasury(), readBudget(), readWelcome()];

const STEPS = ["join", "add", "ask", "paid", "stop"] as const;
const CARDS = [
  ["patient", "/check"],
  ["member", "/licenses"],
  ["money", "/treasury"],
  ["voter", "/proposals"],
  ["researcher", "/datasets"],
  ["operator", "/health"],
] as const;

export default function Front() {
  const { t } = useTranslation("public");
  const { money, number } = useFormat();
  const cooperative = useRead(readCooperative());
  const treasury = useRead(readTreasury());
  const budget = useRead(readBudget());
  return (
    <>
      <PageHead title={t("front.title")} lead={t("front.lead")}>
        <Link to="/check" className="button">
          {t("front.check")}
        </Link>
      </PageHead>

      <Section title={t("front.how")}>
        <ol className="steps">
          {STEPS.map((step) => (
            <li key={step}>
              <h3>{t(`front.steps.${step}.title`)}</h3>
              <p>{t(`front.steps.${step}.text`)}</p>
            </li>
          ))}
        </ol>
      </Section>

      <Try />

      <Section title={t("front.who")}>
        <ul className="cards">
          {CARDS.map(([card, place]) => (
            <li key={card}>
              <h3>{t(`front.cards.${card}.title`)}</h3>
              <p>{t(`front.cards.${card}.text`)}</p>
              <p>
                <Link to={place}>{t(`front.cards.${card}.link`)}</Link>
              </p>
            </li>
          ))}
        </ul>
      </Section>

      <Section title={t("front.now")}>
        <Await of={[cooperative, treasury, budget]}>
          {({ members }, { claimed }, { answered }) => (
            <Figures
              of={[
                [number(members), t("front.members", { count: members })],
                [money(claimed), t("front.paid")],
                [number(answered), t("front.questions", { count: answered })],
              ]}
            />
          )}
        </Await>
      </Section>
    </>
  );
}
