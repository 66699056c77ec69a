//! Parts that the guardians have stopped, and until when.
import { useTranslation } from "react-i18next";
import type { ConstitutionView } from "../api/generated";
import { useFormat } from "../ui/format";
import { partOf } from "./effects";

export function Paused({ pauses }: { pauses: ConstitutionView["pauses"] }) {
  const { t } = useTranslation(["governance", "effects"]);
  const { time } = useFormat();
  const name = (contract: string) => {
    const part = partOf(contract);
    return part ? t(`effects:parts.${part}`) : t("governance:charter.otherPart", { name: contract });
  };
  return (
    <ul>
      {pauses.map(({ contract, until }) => (
        <li key={contract}>{t("governance:charter.pausedUntil", { part: name(contract), time: time(until) })}</li>
      ))}
    </ul>
  );
}
