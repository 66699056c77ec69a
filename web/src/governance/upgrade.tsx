//! A program that takes another one's place: which by which, what that leaves as it is, and what tells whether the new one fits.
import { useTranslation } from "react-i18next";
import type { CallView } from "../api/generated";
import { Code } from "../ui/page";
import { Table } from "../ui/table";

/** Whoever has the repository types it; it fails where something that is kept would be misread. */
const COMPARE = "rochdale coop upgrade --plan";

export function Upgrade({ call }: { call: CallView }) {
  const { t } = useTranslation("effects");
  const { old, new: after } = call.changes.find(({ what }) => what === "newImplementation") ?? { new: t("upgrade.unknown") };
  const extra = call.changes.find(({ what, new: data }) => what === "data" && data !== "0x");
  const shown = (value: string | null | undefined) => (value ? <Code>{value}</Code> : t("upgrade.unknown"));
  return (
    <>
      <Table
        caption={t("upgrade.caption")}
        rows={[
          { which: "before" as const, at: old },
          { which: "after" as const, at: after },
        ]}
        keyOf={({ which }) => which}
        columns={[
          { head: t("upgrade.which"), cell: ({ which }) => t(`upgrade.${which}`) },
          { head: t("upgrade.where"), cell: ({ at }) => shown(at) },
        ]}
      />
      <p>{t(old === after ? "upgrade.same" : "upgrade.kept")}</p>
      {extra && (
        <>
          <p>{t("upgrade.once")}</p>
          <p>
            <Code>{extra.new}</Code>
          </p>
        </>
      )}
      <p>{t("upgrade.cannot")}</p>
      <p>
        <Code>{COMPARE}</Code>
      </p>
      <p>{t("upgrade.command")}</p>
    </>
  );
}
