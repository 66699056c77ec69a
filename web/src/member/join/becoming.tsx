//! Step 3, its end: the cooperative takes the member in. It needs nobody's hand; what fails is tried again from where it stopped.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { becomeMember, type Step } from "../core/joining";
import type { Opened } from "../core/session";
import { StepHead } from "../join";
import { ActFailed, useAct } from "../parts/act";

const STEPS = ["admission", "membership", "account"] as const;

export function Becoming({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-join");
  const { state, act } = useAct<[], Step>((tell) => becomeMember(opened, tell));
  useEffect(() => act(), [act]);
  const at = state.at === "working" && state.step ? STEPS.indexOf(state.step) : -1;
  return (
    <>
      <StepHead step={3} title={t("becoming.title")} lead={t("becoming.lead")} />
      <ol className="steps" aria-live="polite">
        {STEPS.map((step, place) => (
          <li key={step} data-done={at > place}>
            <h2 className="step-title">{t(`becoming.${step}`)}</h2>
            <p>{t(at > place ? "becoming.isDone" : at === place ? "becoming.isNow" : "becoming.isNext")}</p>
          </li>
        ))}
      </ol>
      {state.at === "failed" && (
        <ActFailed error={state.error} kept={t("becoming.kept")}>
          <p>
            <button type="button" className="button" onClick={() => act()}>
              {t("becoming.again")}
            </button>
          </p>
        </ActFailed>
      )}
    </>
  );
}
