//! Stopping or deleting: what it does and does not do, the agreement word for word, and what the keepers say of it afterwards.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Notice, PageHead } from "../../ui/page";
import { useErasures } from "../core/reading";
import { type Known, known, useOpened } from "../core/session";
import { type Outcome, withdraw } from "../core/withdrawing";
import { ActButton, useAct } from "./act";
import { ComeIn } from "./come-in";

type Kind = "revoke" | "erase";
const POINTS = { revoke: ["now", "stays", "earned", "again"], erase: ["now", "never", "earned", "ends", "copies"] } as const;

export function Withdraw({ kind, title, lead }: { kind: Kind; title: string; lead: string }) {
  const { t } = useTranslation("member-mine");
  const opened = useOpened();
  const [kept] = useState(() => known.read());
  const things = opened?.things;
  const who = things ? { account: things.account, credential: things.passkey.credential, member_id: things.member_id, opens: things.passkey.opens } : kept;
  return (
    <>
      <PageHead title={title} lead={lead} back={<Link to="/sharing">{t("places./sharing")}</Link>} />
      {who?.member_id != null ? <Doing kind={kind} who={who} id={who.member_id} /> : <ComeIn />}
    </>
  );
}

function Doing({ kind, who, id }: { kind: Kind; who: Known; id: number }) {
  const { t } = useTranslation("member-mine");
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState<Outcome>();
  const doing = useAct<[], "gateway" | "stewards">(async (tell) => {
    setOutcome(await withdraw(who, kind, tell));
    void queries.invalidateQueries({ queryKey: ["member", id] });
  });
  if (outcome) return <Done kind={kind} id={id} account={who.account} outcome={outcome} />;
  return (
    <>
      <ul>
        {POINTS[kind].map((point) => (
          <li key={point}>{t(`withdraw.${kind}.points.${point}` as "withdraw.revoke.points.now")}</li>
        ))}
      </ul>
      <div className="words">
        <p>{t(`withdraw.${kind}.words`)}</p>
      </div>
      {kind === "erase" && <Sure doing={doing} />}
      {kind === "revoke" && <ActButton act={doing} given={[]} label={t("withdraw.revoke.do")} working={(step) => t(step ? `withdraw.working.${step}` : "working.passkey")} kept={t("withdraw.revoke.kept")} />}
      <p>
        <Link to={kind === "revoke" ? "/sharing/delete" : "/sharing/stop"}>{t(`withdraw.${kind}.other`)}</Link>
      </p>
    </>
  );
}

/** What cannot be taken back asks once more. */
function Sure({ doing }: { doing: Parameters<typeof ActButton<"gateway" | "stewards", []>>[0]["act"] }) {
  const { t } = useTranslation("member-mine");
  const [isSure, setSure] = useState(false);
  return (
    <>
      <label className="option">
        <input type="checkbox" checked={isSure} onChange={(event) => setSure(event.target.checked)} />
        <span>{t("withdraw.erase.sure")}</span>
      </label>
      {isSure && <ActButton danger act={doing} given={[]} label={t("withdraw.erase.do")} working={(step) => t(step ? `withdraw.working.${step}` : "working.passkey")} kept={t("withdraw.erase.kept")} />}
    </>
  );
}

function Done({ kind, id, account, outcome: { obeying, of, isOnChain, away } }: { kind: Kind; id: number; account: string; outcome: Outcome }) {
  const { t } = useTranslation("member-mine");
  const { list } = useFormat();
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => frame.current?.focus(), []);
  return (
    <div ref={frame} tabIndex={-1} role="status">
      <Notice title={t(`withdraw.${kind}.done`)} tone="good">
        <p>{t(isOnChain ? "withdraw.onChain" : "withdraw.held", { obeying, of })}</p>
        {away.length > 0 && <p>{t("withdraw.away", { count: away.length, keepers: list(away.map(String)) })}</p>}
        {kind === "erase" && <Destroyed id={id} account={account} />}
        <p>{t(`withdraw.${kind}.then`)}</p>
      </Notice>
    </div>
  );
}

/** Each keeper's own word that it destroyed what it held. */
function Destroyed({ id, account }: { id: number; account: string }) {
  const { t } = useTranslation("member-mine");
  const { data } = useErasures(id, account, true);
  return <p>{data ? t("withdraw.destroyed", { confirmed: data.confirmed, complete: data.complete, of: data.of }) : t("withdraw.destroying")}</p>;
}
