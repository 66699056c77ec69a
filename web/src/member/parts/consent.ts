//! Where a member's consent stands, in words.
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import type { Member } from "../core/facts";

const STATES = ["none", "granted", "expired", "revoked", "erased"] as const;

export function useConsentWords(): (member: Member) => string {
  const { t } = useTranslation("member-mine");
  const { date } = useFormat();
  return ({ consent, consent_expiry }) => {
    const state = STATES.find((known) => known === consent) ?? "none";
    if (state === "granted" && consent_expiry > 0) return t("consent.grantedUntil", { date: date(consent_expiry) });
    return t(`consent.${state}`);
  };
}
