//! Money: earned, paid, on its way, and why this amount; having it paid, and where.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fetchRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, Facts, Figures, More, Notice, Section } from "../ui/page";
import { readEpochSeen } from "./core/facts";
import { type Claim, claim, payTo } from "./core/paying";
import { useHeld, useMember, useRow } from "./core/reading";
import * as rules from "./core/rules";
import type { Row } from "./core/rules";
import type { Opened, Session } from "./core/session";
import { ActButton, ActFailed, useAct } from "./parts/act";
import { Reading } from "./parts/come-in";
import { Differing } from "./parts/differing";
import { Field } from "../ui/form";
import { Mine } from "./parts/mine";

export default function Money() {
  const { t } = useTranslation("member-mine");
  return (
    <Mine title={t("money.title")}>
      {(opened, id) => (
        <>
          <Reading opened={opened}>{(session) => <Earned session={session} id={id} />}</Reading>
          <Section title={t("money.where")}>
            <Payout opened={opened} id={id} />
          </Section>
        </>
      )}
    </Mine>
  );
}

function Earned({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const { money } = useFormat();
  const row = useRow(session, id);
  const held = useHeld(session, id);
  return (
    <Await of={[row, held]}>
      {(seen, { cash }) => {
        if (!seen.said) {
          return (
            <Empty title={t("money.none")}>
              <p>{t("money.noneText")}</p>
              <p>
                <Link to="/data">{t("money.toData")}</Link>
              </p>
            </Empty>
          );
        }
        const earned = BigInt(seen.said.row.cash_earned) + BigInt(seen.said.row.cash_streaming);
        const paid = BigInt(cash.said ?? "0");
        return (
          <>
            <Figures
              of={[
                [money(earned), t("money.earned")],
                [money(paid), t("money.paid")],
                [money(earned - paid), t("money.coming")],
              ]}
            />
            <p className="small">{t("money.usdc")}</p>
            <Differing of={seen} />
            <Section title={t("money.get")}>
              <Get session={session} id={id} epoch={seen.said.epoch} left={earned - paid} />
            </Section>
            <Section title={t("money.why")}>
              <Why seen={seen.said} id={id} />
            </Section>
          </>
        );
      }}
    </Await>
  );
}

function Get({ session, id, epoch, left }: { session: Session; id: number; epoch: number; left: bigint }) {
  const { t } = useTranslation("member-mine");
  const { money, date } = useFormat();
  const queries = useQueryClient();
  const [came, setCame] = useState<Claim>();
  const next = useQuery({ queryKey: ["epoch", epoch + 1], queryFn: () => fetchRead(readEpochSeen(epoch + 1)), networkMode: "always" });
  const claiming = useAct(async () => {
    // Also where it failed: what came is shown.
    setCame(await claim(session, id).finally(() => queries.invalidateQueries({ queryKey: ["held", id] })));
  });
  if (left <= 0n && !came) return <p>{t("money.nothingLeft")}</p>;
  return (
    <>
      <p>{next.data ? t("money.streams", { date: date(next.data.end) }) : t("money.streamsSomeday")}</p>
      <ActButton act={claiming} given={[]} label={t("money.claim")} working={() => t("money.claiming")} kept={t("money.stays")} />
      {came && claiming.state.at === "done" && (
        <div role="status">
          <Notice title={t(`money.came.${came.kind}.title`, { amount: came.kind === "paid" ? money(came.cash) : "" })} tone={came.kind === "paid" ? "good" : "note"}>
            <p>{t(`money.came.${came.kind}.text`)}</p>
          </Notice>
        </div>
      )}
    </>
  );
}

const PARTS = ["floor", "usage", "data", "early"] as const;

/** What the last amount is made of, by the rules themselves. */
function Why({ seen, id }: { seen: Row; id: number }) {
  const { t } = useTranslation("member-mine");
  const { money, number } = useFormat();
  const { epoch, row } = seen;
  const why = useQuery({
    queryKey: ["parts", id, epoch],
    queryFn: async () => {
      const view = await fetchRead(readEpochSeen(epoch));
      return { parts: await rules.cashParts({ epoch: view, member_id: id, row }), header: view.header };
    },
    networkMode: "always",
  });
  return (
    <Await of={[why]}>
      {({ parts, header }) =>
        parts ? (
          <>
            <p>{t("money.last", { amount: money(row.cash_streaming), epoch })}</p>
            <Facts of={PARTS.map((part) => [t(`money.parts.${part}.name`), <span key={part}>{money(parts[part])}<span className="part-what">{t(`money.parts.${part}.what`)}</span></span>])} />
            {header && (
              <p>
                {t("money.pot", { amount: money(header.payout), people: number(header.sharers) })}{" "}
                <Link to="/epochs/$epoch" params={{ epoch: String(epoch) }}>
                  {t("money.toEpoch")}
                </Link>
              </p>
            )}
          </>
        ) : (
          <p>{t("money.noShare", { epoch })}</p>
        )
      }
    </Await>
  );
}

function Payout({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  const member = useMember(id);
  return (
    <Await of={[member]}>
      {({ payout, account }) => (
        <>
          <p>{t(payout.toLowerCase() === account.toLowerCase() ? "money.own" : "money.elsewhere")}</p>
          <p>
            <Code>{payout}</Code>
          </p>
          <More title={t("money.change")}>
            <Change opened={opened} id={id} />
          </More>
        </>
      )}
    </Await>
  );
}

export const isAddress = (text: string): boolean => /^0x[0-9a-fA-F]{40}$/.test(text.trim()) && !/^0x0{40}$/.test(text.trim());

function Change({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  const paying = useAct(async () => queries.setQueryData(["member", id], await payTo(opened, typed.trim())));
  const go = (event: FormEvent) => {
    event.preventDefault();
    setWrong(!isAddress(typed));
    if (isAddress(typed)) paying.act();
  };
  if (paying.state.at === "done") return <p role="status">{t("money.changed", { address: typed.trim() })}</p>;
  return (
    <form onSubmit={go}>
      <p>{t("money.changeText")}</p>
      <Field label={t("money.address")} hint={t("money.addressHint")} wrong={isWrong ? t("money.addressWrong") : undefined} value={typed} change={setTyped} width={44} />
      {isAddress(typed) && <div className="words"><p>{t("money.changeWords", { address: typed.trim() })}</p></div>}
      <p>
        <button type="submit" className="button" aria-disabled={paying.state.at === "working"}>
          {t("money.changeDo")}
        </button>
      </p>
      <div role="status">{paying.state.at === "working" && <p className="working">{t("working.passkey")}</p>}</div>
      {paying.state.at === "failed" && <ActFailed error={paying.state.error} kept={t("kept.asBefore")} />}
    </form>
  );
}
