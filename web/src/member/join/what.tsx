//! Step 1: what this is, and whether the invitation holds.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRead } from "../../api/read";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { More, Notice, Section } from "../../ui/page";
import { type Admissions, readAdmissions } from "../core/facts";
import { begin, type Draft, fragment, invitationOf, invited } from "../core/joining";
import { known } from "../core/session";
import { StepHead } from "../join";
import { ActButton, useAct } from "../parts/act";
import { ByCode } from "../parts/come-in";
import { Field } from "../../ui/form";

const POINTS = ["records", "questions", "money", "stop", "risk"] as const;

export function What({ begun }: { begun: (draft: Draft) => void }) {
  const { t } = useTranslation("member-join");
  const admissions = useRead(readAdmissions());
  const [isKnown] = useState(() => known.read() !== undefined);
  const [code] = useState(() => fragment(window.location.hash) || (invited.read() ?? ""));
  // An invitation need not stand in the address, nor in the browser's history.
  useEffect(() => {
    if (!window.location.hash) return;
    invited.write(code);
    window.history.replaceState(window.history.state, "", "/join");
  }, [code]);
  return (
    <>
      <StepHead step={1} title={t("what.title")} lead={t("what.lead")} />
      {isKnown && (
        <Notice title={t("what.known")}>
          <p>
            <Link to="/home">{t("what.knownLink")}</Link>
          </p>
        </Notice>
      )}
      <ul className="plain">
        {POINTS.map((point) => (
          <li key={point}>
            <h2 className="step-title">{t(`what.points.${point}.title`)}</h2>
            <p>{t(`what.points.${point}.text`)}</p>
          </li>
        ))}
      </ul>
      <Section title={t("what.invitation")}>
        <Await of={[admissions]}>{(open) => <Invitation admissions={open} code={code} begun={begun} />}</Await>
      </Section>
      <More title={t("what.again")}>
        <ByCode />
      </More>
    </>
  );
}

/** Why nobody is admitted now: the period's places are taken, which is over with the period, or another reason. */
export const shutBy = ({ open, left }: Pick<Admissions, "open" | "left">): "full" | "closed" | undefined => (left === 0 ? "full" : open ? undefined : "closed");

function Invitation({ admissions, code, begun }: { admissions: Admissions; code: string; begun: (draft: Draft) => void }) {
  const { t } = useTranslation("member-join");
  const { date } = useFormat();
  const [typed, setTyped] = useState(code);
  const fromLink = useQuery({ queryKey: ["invitation", typed], queryFn: () => invitationOf(typed), enabled: typed !== "", retry: false, networkMode: "always" });
  const beginning = useAct(async () => begun(await begin(fromLink.data ?? "")));
  const shut = shutBy(admissions);
  if (shut) {
    return (
      <Notice title={t(`what.${shut}`)}>
        <p>{t(`what.${shut}Text`, { date: date(admissions.epoch_ends) })}</p>
      </Notice>
    );
  }
  return (
    <>
      <Field label={t("what.code")} hint={t("what.codeHint")} value={typed} change={setTyped} isCode wrong={fromLink.isError ? t("what.codeWrong") : undefined} />
      {fromLink.data && (
        <>
          <p role="status">{t("what.codeGood")}</p>
          <p>{t("what.prompts")}</p>
          <ActButton act={beginning} given={[]} label={t("what.start")} working={() => t("what.starting")} kept={t("nothing")} />
        </>
      )}
    </>
  );
}
