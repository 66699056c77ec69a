//! Where an epoch stands, in words.
import { useTranslation } from "react-i18next";

const STATES = ["running", "awaiting_proposal", "pending", "final"] as const;

export function EpochState({ state }: { state: string }) {
  const { t } = useTranslation("public");
  const known = STATES.find((one) => one === state) ?? "other";
  return (
    <span className="tag" data-tone={known === "final" ? "good" : undefined}>
      {t(`epochs.states.${known}`)}
    </span>
  );
}
