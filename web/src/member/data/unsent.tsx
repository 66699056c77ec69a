//! A record that was agreed to and is not recorded yet: it goes on by itself when the page is opened.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../../api/read";
import { useFormat } from "../../ui/format";
import { addAgain, deliver, type Step } from "../core/adding";
import { type Parcel, remove } from "../core/outbox";
import { ActFailed, useAct } from "../parts/act";

export function Unsent({ parcel, credential, changed }: { parcel: Parcel; credential: string; changed: () => void }) {
  const { t } = useTranslation("member-mine");
  const { percent } = useFormat();
  const { state, act } = useAct<[isAgain?: boolean], Step>(async (tell, isAgain) => {
    await (isAgain ? addAgain(parcel, credential, tell) : deliver(parcel, tell));
    changed();
  });
  useEffect(() => act(), [act]);
  const code = state.at === "failed" && state.error instanceof ReadFailure ? (state.error.code ?? "") : "";
  // What can never be taken is not tried for ever.
  const isHopeless = ["erased", "consent_denied"].includes(code);
  // What was agreed to holds for a while, and for one number: it can be agreed to once more.
  const isOver = ["expired", "chain_refused"].includes(code);
  return (
    <div className="drop">
      <h3>{parcel.name}</h3>
      <p role="status">{state.at === "working" && state.step ? t(`add.${state.step}`, { part: percent(Math.floor(state.part * 1_000)) }) : t("add.waits")}</p>
      {state.at === "failed" && (
        <ActFailed error={state.error} kept={t(isHopeless ? "add.hopeless" : "add.kept")}>
          <p>
            {isHopeless ? (
              <button type="button" className="button quiet" onClick={() => void remove(parcel.commitment).then(changed)}>
                {t("add.drop")}
              </button>
            ) : (
              <button type="button" className="button" onClick={() => act(isOver)}>
                {t(isOver ? "add.confirm" : "add.again")}
              </button>
            )}
          </p>
        </ActFailed>
      )}
    </div>
  );
}
