//! How members decide: two houses, what each decides, what takes both, and what nobody can.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { PageHead, Section } from "../ui/page";
import { Room } from "./room";

const HOUSES = ["member", "token"] as const;
const STEPS = ["propose", "vote", "wait", "force"] as const;
const LIMITS = ["both", "founding", "guardian", "never"] as const;

export default function Houses() {
  const { t } = useTranslation("governance");
  return (
    <>
      <Room />
      <PageHead title={t("houses.title")} lead={t("houses.lead")} />
      {HOUSES.map((house) => (
        <Section key={house} title={t(`house.${house}`)}>
          <p>{t(`houses.${house}.votes`)}</p>
          <p>{t(`houses.${house}.decides`)}</p>
        </Section>
      ))}
      <Section title={t("houses.way")}>
        <ol className="steps">
          {STEPS.map((step) => (
            <li key={step}>
              <h3>{t(`houses.steps.${step}.title`)}</h3>
              <p>{t(`houses.steps.${step}.text`)}</p>
            </li>
          ))}
        </ol>
        <p>{t("houses.enough")}</p>
      </Section>
      <Section title={t("houses.limits")}>
        <ul>
          {LIMITS.map((limit) => (
            <li key={limit}>{t(`houses.limit.${limit}`)}</li>
          ))}
        </ul>
      </Section>
      <p>
        <Link to="/vote">{t("houses.toVote")}</Link>
      </p>
    </>
  );
}
