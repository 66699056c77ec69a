//! Delete my data: for ever, and the membership ends with it.
import { useTranslation } from "react-i18next";
import { Withdraw } from "../parts/withdraw";

export default function Delete() {
  const { t } = useTranslation("member-mine");
  return <Withdraw kind="erase" title={t("withdraw.erase.title")} lead={t("withdraw.erase.lead")} />;
}
