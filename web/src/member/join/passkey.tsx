//! Step 3: the passkey. What it opens is put away at once, so that from here on the recovery code goes on wherever this tab does not.
import { useTranslation } from "react-i18next";
import { type Draft, makePasskey } from "../core/joining";
import { StepHead } from "../join";
import { ActButton, useAct } from "../parts/act";

const POINTS = ["what", "where", "prompt"] as const;

export function PasskeyStep({ draft, keep }: { draft: Draft; keep: (draft: Draft) => void }) {
  const { t } = useTranslation(["member-join", "common"]);
  const making = useAct(() => makePasskey(draft, t("common:name"), keep));
  return (
    <>
      <StepHead step={3} title={t("passkey.title")} lead={t("passkey.lead")} />
      <ul>
        {POINTS.map((point) => (
          <li key={point}>{t(`passkey.${point}`)}</li>
        ))}
      </ul>
      <ActButton act={making} given={[]} label={t(draft.passkey ? "passkey.again" : "passkey.make")} working={() => t("passkey.making")} kept={t(draft.passkey ? "passkey.kept" : "nothing")} />
    </>
  );
}
