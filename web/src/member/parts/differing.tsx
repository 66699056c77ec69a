//! Keepers that show another thing than most, or nothing: named, since a member should know on how many words a page stands.
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Notice } from "../../ui/page";
import type { Seen } from "../core/reading";

export function Differing({ of: { differ, away } }: { of: Pick<Seen<unknown>, "differ" | "away"> }) {
  const { t } = useTranslation("member-mine");
  const { list } = useFormat();
  return (
    <>
      {differ > 0 && (
        <Notice title={t("differing.title", { count: differ })} tone="bad">
          <p>{t("differing.text")}</p>
        </Notice>
      )}
      {away.length > 0 && <p className="small">{t("differing.away", { count: away.length, keepers: list(away.map(String)) })}</p>}
    </>
  );
}
