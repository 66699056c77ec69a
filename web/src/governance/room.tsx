//! What stands above each page of the room where members decide.
import { useTranslation } from "react-i18next";
import { Beside } from "../ui/beside";

export function Room() {
  const { t } = useTranslation("governance");
  return (
    <Beside
      label={t("room.label")}
      pages={[
        ["/proposals", t("room.proposals")],
        ["/polls", t("room.polls")],
        ["/delegates", t("room.delegates")],
        ["/houses", t("room.houses")],
        ["/charter", t("room.charter")],
      ]}
    />
  );
}
