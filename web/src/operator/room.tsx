//! What stands above each page for whoever runs the cooperative.
import { useTranslation } from "react-i18next";
import { Beside } from "../ui/beside";

export function Room() {
  const { t } = useTranslation("operator");
  return (
    <Beside
      label={t("room.label")}
      pages={[
        ["/health", t("room.health")],
        ["/operations", t("room.operations")],
        ["/log", t("room.log")],
        ["/kpis", t("room.kpis")],
        ["/treasury", t("room.treasury")],
      ]}
    />
  );
}
