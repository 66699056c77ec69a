//! Somebody is putting another passkey in place: seen on every page of the member's, with the way to stop it.
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Notice } from "../../ui/page";
import { useAccount } from "../core/reading";
import { veto } from "../core/recovering";
import type { Opened } from "../core/session";
import { ActButton, useAct } from "./act";

export function Alarm({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-mine");
  const { time } = useFormat();
  const queries = useQueryClient();
  const { account, next } = opened.things;
  const { data } = useAccount(account);
  const stop = useAct(async () => queries.setQueryData(["account", account], await veto(opened)));
  if (stop.state.at === "done") return <p role="status">{t("alarm.stopped")}</p>;
  const recovery = data?.recovery;
  if (!recovery) return null;
  const isOwn = next?.qx.toLowerCase() === recovery.qx.toLowerCase();
  return (
    <Notice title={t(isOwn ? "alarm.own" : "alarm.title")} tone={isOwn ? "note" : "bad"}>
      <p>{t(isOwn ? "alarm.ownText" : "alarm.text", { time: time(recovery.ready_at) })}</p>
      <ActButton act={stop} given={[]} label={t("alarm.stop")} working={() => t("working.passkey")} kept={t("kept.asBefore")} quiet={isOwn} />
    </Notice>
  );
}
