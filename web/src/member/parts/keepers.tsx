//! Keepers whom the member does not know: nothing is encrypted for them until the member says that they are the right ones.
import { useTranslation } from "react-i18next";
import type { UseQueryResult } from "@tanstack/react-query";
import { Code, Notice } from "../../ui/page";
import { type Cooperative, keepPin, pinFor } from "../core/facts";
import { changeThings } from "../core/locker";
import { pinOf, strangers } from "../core/pinned";
import { keep, type Opened } from "../core/session";
import { ActButton, useAct } from "./act";

export function Keepers({ opened, directory }: { opened: Opened; directory: UseQueryResult<Cooperative> }) {
  const { t } = useTranslation("member-mine");
  const { data } = directory;
  const accepting = useAct(async () => {
    if (!data) return;
    const pin = pinOf(data);
    keepPin(opened.things.account, pin);
    keep(opened.locker, await changeThings(opened.locker, (things) => ({ ...things, pin })));
    await directory.refetch();
  });
  const pin = pinFor(opened.things);
  const unknown = data && pin ? strangers(pin, data) : [];
  if (unknown.length === 0) return null;
  return (
    <Notice title={t("keepers.title")} tone="bad">
      <p>{t("keepers.text")}</p>
      <ul>
        {unknown.map(({ steward, address, url }) => (
          <li key={address}>
            {t("keepers.one", { steward, url })} <Code>{address}</Code>
          </li>
        ))}
      </ul>
      <ActButton act={accepting} given={[]} label={t("keepers.accept")} working={() => t("working.looking")} kept={t("kept.asBefore")} quiet />
    </Notice>
  );
}
