//! Somebody is putting another passkey in place: seen on every page of the member's, with the way to stop it.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Notice } from "../../ui/page";
import { alarmOf, madeFor } from "../core/alarm";
import { useAccount } from "../core/reading";
import { veto } from "../core/recovering";
import type { Opened } from "../core/session";
import { ActButton, useAct } from "./act";

export function Alarm({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-mine");
  const { time } = useFormat();
  const queries = useQueryClient();
  const [isStopped, setStopped] = useState(false);
  const { account } = opened.things;
  const looked = useAccount(account);
  const stop = useAct(async () => {
    queries.setQueryData(["account", account], await veto(opened));
    setStopped(true);
  });
  const kind = alarmOf(looked, madeFor(account));
  if (kind === "unchecked") {
    return (
      <Notice title={t("alarm.unchecked")} tone="bad">
        <p>{t("alarm.uncheckedText")}</p>
        <p>
          <button type="button" className="button quiet" onClick={() => void looked.refetch()}>
            {t("alarm.check")}
          </button>
        </p>
      </Notice>
    );
  }
  if (kind === "none") {
    return isStopped ? (
      <div role="status">
        <Notice title={t("alarm.stoppedTitle")}>
          <p>{t("alarm.stopped")}</p>
          <p>
            <Link to="/help">{t("alarm.replace")}</Link>
          </p>
        </Notice>
      </div>
    ) : null;
  }
  const isOwn = kind === "own";
  return (
    <Notice title={t(isOwn ? "alarm.own" : "alarm.title")} tone={isOwn ? "note" : "bad"}>
      <p>{t(isOwn ? "alarm.ownText" : "alarm.text", { time: time(looked.data?.recovery?.ready_at ?? 0) })}</p>
      <ActButton act={stop} given={[]} label={t("alarm.stop")} working={() => t("working.passkey")} kept={t("kept.asBefore")} quiet={isOwn} />
    </Notice>
  );
}
