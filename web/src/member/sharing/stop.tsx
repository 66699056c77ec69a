//! Stop sharing. It needs neither the locker nor the gateway: the passkey, and one keeper that answers.
import { useTranslation } from "react-i18next";
import { Withdraw } from "../parts/withdraw";

export default function Stop() {
  const { t } = useTranslation("member-mine");
  return <Withdraw kind="revoke" title={t("withdraw.revoke.title")} lead={t("withdraw.revoke.lead")} />;
}
