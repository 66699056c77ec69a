//! How much my vote weighs: who casts it in the house of contributors, and points set aside for more weight.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type LockView, type MemberVotes, readMemberVotes } from "../../api/generated";
import { fetchRead, options, useRead } from "../../api/read";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { Code, Section } from "../../ui/page";
import { Table } from "../../ui/table";
import type { Opened } from "../core/session";
import { count, delegate, lock, unlock } from "../core/voting";
import { whose } from "../core/witnessing";
import { ActButton, ActFailed, useAct } from "../parts/act";
import { Field } from "../../ui/form";
import { Mine } from "../parts/mine";
import { Options } from "../parts/options";
import { memberIn, TIERS, weiOf } from "./points";
import { Weight } from "./weighs";

export default function MyWeight() {
  const { t } = useTranslation("member-vote");
  return (
    <Mine title={t("weight.title")} back={<Link to="/vote">{t("vote.title")}</Link>}>
      {(opened, id) => <Own opened={opened} id={id} />}
    </Mine>
  );
}

function Own({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-vote");
  const votes = useRead(readMemberVotes(id), 30_000);
  return (
    <Await of={[votes]}>
      {(own) => (
        <>
          <Weight votes={own} />
          {own.active && own.seasoned_at <= own.now && BigInt(own.gov_balance) > 0n && BigInt(own.held) === 0n && <Uncounted opened={opened} votes={own} />}
          <Section title={t("weight.who")}>
            <Delegate opened={opened} votes={own} />
          </Section>
          <Section title={t("weight.aside")}>
            <p>{t("weight.asideText")}</p>
            <Locks opened={opened} votes={own} />
            <Lock opened={opened} votes={own} />
          </Section>
        </>
      )}
    </Await>
  );
}

/** What the chain shows after an act is what the page shows. */
function useKeep(votes: MemberVotes): (now: MemberVotes) => void {
  const queries = useQueryClient();
  return (now) => void queries.setQueryData(options(readMemberVotes(votes.member_id)).queryKey, now);
}

interface Own {
  opened: Opened;
  votes: MemberVotes;
}

function Uncounted({ opened, votes }: Own) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const keep = useKeep(votes);
  const counting = useAct(async () => keep(await count(opened)));
  return (
    <>
      <p>{t("member-vote:weight.uncounted")}</p>
      <ActButton act={counting} given={[]} label={t("member-vote:weight.count")} working={() => t("member-mine:working.passkey")} kept={t("member-mine:kept.asBefore")} />
    </>
  );
}

/** Who is named: the number that was typed, and the account that a quorum of the keepers says it is. */
interface Named {
  readonly member: number;
  readonly account: string;
}

function Delegate({ opened, votes }: Own) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const keep = useKeep(votes);
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<"number" | "own" | "nobody" | "early">();
  const [named, setNamed] = useState<Named>();
  const isOwn = votes.delegate.toLowerCase() === votes.account.toLowerCase();
  const naming = useAct(async (_, to: string) => {
    keep(await delegate(opened, to));
    setTyped("");
    setNamed(undefined);
  });
  const checking = useAct(async () => {
    const number = memberIn(typed);
    const found = number === undefined ? "number" : number === votes.member_id ? "own" : await lookUp(number);
    setWrong(typeof found === "string" ? found : undefined);
    setNamed(typeof found === "string" ? undefined : found);
  });
  const write = (text: string) => {
    setTyped(text);
    setNamed(undefined);
  };
  const go = (event: FormEvent) => {
    event.preventDefault();
    checking.act();
  };
  const isWorking = naming.state.at === "working";
  const isLooking = checking.state.at === "working";
  const failed = [naming.state, checking.state].find((state) => state.at === "failed");
  return (
    <>
      <p>{isOwn ? t("member-vote:weight.own") : t("member-vote:weight.other", { who: votes.delegate_member == null ? votes.delegate : t("member-vote:weight.member", { member: votes.delegate_member }) })}</p>
      {!isOwn && (
        <p className="small">
          {t("member-vote:weight.accountNow")} <Code>{votes.delegate}</Code>
        </p>
      )}
      <form onSubmit={go}>
        <Field label={t("member-vote:weight.number")} hint={t("member-vote:weight.numberHint")} wrong={wrong && t(`member-vote:weight.wrong.${wrong}`)} value={typed} change={write} width={8} />
        <p>
          <button type="submit" className="button quiet" aria-disabled={isLooking || isWorking}>
            {t("member-vote:weight.look")}
          </button>{" "}
          {!isOwn && (
            <button type="button" className="button quiet" aria-disabled={isWorking} onClick={() => naming.act(votes.account)}>
              {t("member-vote:weight.back")}
            </button>
          )}
        </p>
      </form>
      <div role="status">
        {named && (
          <div className="words">
            <p>{t("member-vote:weight.words", { member: named.member })}</p>
            <p>
              {t("member-vote:weight.account")} <Code>{named.account}</Code>
            </p>
          </div>
        )}
      </div>
      {named && (
        <p>
          <button type="button" className="button" aria-disabled={isWorking} onClick={() => naming.act(named.account)}>
            {t("member-vote:weight.name")}
          </button>
        </p>
      )}
      <div role="status">
        {isLooking && <p className="working">{t("member-mine:working.looking")}</p>}
        {isWorking && <p className="working">{t("member-mine:working.passkey")}</p>}
        {naming.state.at === "done" && !isLooking && !named && <p>{t("member-vote:weight.done")}</p>}
      </div>
      {failed?.at === "failed" && <ActFailed error={failed.error} kept={t("member-mine:kept.asBefore")} />}
    </>
  );
}

/** The keepers say whose account it is; when its vote begins, the gateway says, and nothing turns on it. */
async function lookUp(member: number): Promise<Named | "nobody" | "early"> {
  const found = await whose(member);
  if (!found?.active) return "nobody";
  const { seasoned_at, now } = await fetchRead(readMemberVotes(member));
  return seasoned_at > now ? "early" : { member, account: found.account };
}

function Locks({ opened, votes }: Own) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const { units, date, number } = useFormat();
  const keep = useKeep(votes);
  const freeing = useAct(async (_, one: LockView) => keep(await unlock(opened, one)));
  if (votes.locks.length === 0) return <p>{t("member-vote:weight.noLocks")}</p>;
  const rows = votes.locks.map((one, index) => ({ ...one, index }));
  return (
    <>
      <Table
        caption={t("member-vote:weight.locks")}
        rows={rows}
        keyOf={({ index }) => index}
        columns={[
          { head: t("member-vote:weight.amount"), cell: ({ amount }) => units(amount) },
          { head: t("member-vote:weight.until"), cell: ({ unlock_at }) => date(unlock_at) },
          { head: t("member-vote:weight.counts"), cell: ({ tier }) => t("member-vote:weight.times", { times: number(TIERS[tier]?.times ?? 1) }) },
          {
            head: t("member-vote:weight.do"),
            cell: ({ index: _, ...one }) =>
              one.unlock_at <= votes.now ? (
                <button type="button" className="button quiet" aria-disabled={freeing.state.at === "working"} onClick={() => freeing.act(one)}>
                  {t("member-vote:weight.unlock")}
                </button>
              ) : (
                t("member-vote:weight.notOver")
              ),
          },
        ]}
      />
      <div role="status">{freeing.state.at === "working" && <p className="working">{t("member-mine:working.passkey")}</p>}</div>
      {freeing.state.at === "failed" && <ActFailed error={freeing.state.error} kept={t("member-mine:kept.asBefore")} />}
    </>
  );
}

function Lock({ opened, votes }: Own) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const { units, date, number } = useFormat();
  const keep = useKeep(votes);
  const [typed, setTyped] = useState("");
  const [tier, setTier] = useState<number>(0);
  const [wrong, setWrong] = useState<"amount" | "much">();
  const left = BigInt(votes.lockable);
  const wei = weiOf(typed);
  const locking = useAct(async () => {
    keep(await lock(opened, wei ?? 0n, tier));
    setTyped("");
  });
  const { state } = locking;
  if (left <= 0n) return <p>{t("member-vote:weight.noneFree")}</p>;
  const go = (event: FormEvent) => {
    event.preventDefault();
    const found = wei === undefined || wei === 0n ? "amount" : wei > left ? "much" : undefined;
    setWrong(found);
    if (!found) locking.act();
  };
  const terms = TIERS[tier] ?? TIERS[0];
  return (
    <form onSubmit={go}>
      <Field label={t("member-vote:weight.lockAmount")} hint={t("member-vote:weight.lockHint", { amount: units(left) })} wrong={wrong && t(`member-vote:weight.lockWrong.${wrong}`)} value={typed} change={setTyped} width={10} />
      <Options
        legend={t("member-vote:weight.lockFor")}
        name="tier"
        value={tier}
        options={TIERS.map((_, at) => at)}
        choose={setTier}
        text={(at) => [t("member-vote:weight.months", { count: TIERS[at]?.months ?? 0 }), t("member-vote:weight.timesLong", { times: number(TIERS[at]?.times ?? 1) })]}
      />
      {wei !== undefined && wei > 0n && (
        <div className="words">
          <p>{t("member-vote:weight.lockWords", { amount: units(wei), date: date(votes.now + terms.months * 30 * 86_400) })}</p>
        </div>
      )}
      <p>
        <button type="submit" className="button" aria-disabled={state.at === "working"}>
          {t("member-vote:weight.lockDo")}
        </button>
      </p>
      <div role="status">
        {state.at === "working" && <p className="working">{t("member-mine:working.passkey")}</p>}
        {state.at === "done" && <p>{t("member-vote:weight.lockDone")}</p>}
      </div>
      {state.at === "failed" && <ActFailed error={state.error} kept={t("member-mine:kept.asBefore")} />}
    </form>
  );
}
