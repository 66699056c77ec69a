//! A record that was agreed to and is not recorded yet: it goes on by itself when the page is opened.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../../api/read";
import { useFormat } from "../../ui/format";
import { deliver, type Step } from "../core/adding";
import { type Parcel, remove } from "../core/outbox";
import { ActFailed, useAct } from "../parts/act";

export function Unsent({ parcel, changed }: { parcel: Parcel; changed: () => void }) {
  const { t } = useTranslation("member-mine");
  const { percent } = useFormat();
  const { state, act } = useAct<[], Step>(async (tell) => {
    await deliver(parcel, tell);
    changed();
  });
  useEffect(() => act(), [act]);
  // What can never be taken is not tried for ever.
  const isHopeless = state.at === "failed" && state.error instanceof ReadFailure && ["expired", "chain_refused", "erased", "consent_denied"].includes(state.error.code ?? "");
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
              <button type="button" className="button" onClick={() => act()}>
                {t("add.again")}
              </button>
            )}
          </p>
        </ActFailed>
      )}
    </div>
  );
}
