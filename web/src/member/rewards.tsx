//! Rewards: what contributing earned, what still waits and for what, collecting it, and where it can go.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type MemberRewards, readMemberRewards, readServices, type ServiceView } from "../api/generated";
import { useRead } from "../api/read";
import { type Epoch, readEpochWhole } from "../api/within";
import { Await } from "../ui/await";
import { LongField, Options } from "../ui/form";
import { useFormat } from "../ui/format";
import { Empty, Facts, Figures, Notice, Section } from "../ui/page";
import { Table } from "../ui/table";
import { due } from "./core/due";
import { type Claim, claim } from "./core/paying";
import { useHeld, useMember, useRow } from "./core/reading";
import type { Opened, Session } from "./core/session";
import { isNothing, missing, order, type Placed, receiptOf } from "./core/spending";
import type { ToldRow } from "./core/told";
import { ActButton, useAct } from "./parts/act";
import { Reading } from "./parts/come-in";
import { Differing } from "./parts/differing";
import { Mine } from "./parts/mine";
import { saveFile } from "./parts/save";

export default function Rewards() {
  const { t } = useTranslation("member-vote");
  return (
    <Mine title={t("rewards.title")} lead={t("rewards.lead")}>
      {(opened, id) => (
        <>
          <Reading opened={opened}>{(session) => <Earned session={session} id={id} />}</Reading>
          <Section title={t("rewards.spend")}>
            <p>{t("rewards.spendText")}</p>
            <Spend opened={opened} id={id} />
          </Section>
          <Section title={t("rewards.give")}>
            <Gift id={id} />
          </Section>
        </>
      )}
    </Mine>
  );
}

function Earned({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-vote");
  const row = useRow(session, id);
  return (
    <Await of={[row]}>
      {(seen) =>
        seen.said ? (
          <>
            <Settled told={seen.said} session={session} id={id} />
            <Differing of={seen} />
          </>
        ) : (
          <Empty title={t("rewards.none")}>
            <p>{t("rewards.noneText")}</p>
            <p>
              <Link to="/data">{t("rewards.toData")}</Link>
            </p>
          </Empty>
        )
      }
    </Await>
  );
}

function Settled({ told: { row, epoch }, session, id }: { told: ToldRow; session: Session; id: number }) {
  const { t } = useTranslation("member-vote");
  const { units } = useFormat();
  const held = useHeld(session, id);
  const period = useRead(readEpochWhole(epoch));
  return (
    <Await of={[held, period]}>
      {({ data, gov }, { params }) => {
        const dueData = due(row.data_earned, params.data_unit, data.said ?? "0");
        const dueGov = due(row.gov_earned, params.gov_unit, gov.said ?? "0");
        return (
          <>
            <Figures
              of={[
                [units(row.data_earned), t("rewards.data.earned")],
                [units(row.data_vesting), t("rewards.data.vesting")],
                [units(row.data_locked), t("rewards.data.locked")],
              ]}
            />
            <p className="small">{t("rewards.asOf", { epoch })}</p>
            <Section title={t("rewards.how")}>
              <How params={params} streak={row.streak} />
            </Section>
            <Section title={t("rewards.collect")}>
              <Collect session={session} id={id} data={dueData} gov={dueGov} collected={data.said ?? "0"} unit={params.data_unit} />
            </Section>
            <Section title={t("rewards.points")}>
              <p>{t("rewards.pointsText")}</p>
              <Facts
                of={[
                  [t("rewards.gov.earned"), units(row.gov_earned)],
                  [t("rewards.gov.vesting"), units(row.gov_vesting)],
                  [t("rewards.gov.locked"), units(row.gov_locked)],
                ]}
              />
              <p>
                <Link to="/vote">{t("rewards.toVote")}</Link>
              </p>
            </Section>
          </>
        );
      }}
    </Await>
  );
}

/** From an award to what is the member's, by the rules of the last period. */
function How({ params: { immediate_bps, vesting_epochs }, streak }: { params: Epoch["params"]; streak: number }) {
  const { t } = useTranslation("member-vote");
  const { percent } = useFormat();
  return (
    <>
      <ol>
        <li>{t("rewards.steps.now", { part: percent(immediate_bps / 10) })}</li>
        <li>{t("rewards.steps.use")}</li>
        <li>{t("rewards.steps.flow", { count: vesting_epochs })}</li>
      </ol>
      <p>{t("rewards.lost")}</p>
      {streak > 1 && <p>{t("rewards.streak", { count: streak })}</p>}
    </>
  );
}

/** What is shown of an amount at least, in parts of 10^18. */
const HUNDREDTH = 10n ** 16n;

/** Money, DATA and voting points come in one go. */
function Collect({ session, id, data, gov, collected, unit }: { session: Session; id: number; data: bigint; gov: bigint; collected: string; unit: string }) {
  const { t } = useTranslation("member-vote");
  const { units } = useFormat();
  const queries = useQueryClient();
  const [came, setCame] = useState<Claim>();
  const collecting = useAct(async () => {
    // Also where it failed: what came is shown.
    setCame(await claim(session, id).finally(() => Promise.all([["held", id], [readMemberRewards(id).path]].map((queryKey) => queries.invalidateQueries({ queryKey })))));
  });
  const kind = came && (came.kind === "paid" && came.data + came.gov === 0n ? "money" : came.kind);
  return (
    <>
      <Facts
        of={[
          [t("rewards.due"), t("rewards.amounts", { data: units(data), gov: units(gov) })],
          [t("rewards.collected"), t("rewards.dataAmount", { data: units(collected) })],
        ]}
      />
      {BigInt(unit) >= HUNDREDTH && <p className="small">{t("rewards.whole", { unit: units(unit) })}</p>}
      {data + gov > 0n && <ActButton act={collecting} given={[]} label={t("rewards.collectDo")} working={() => t("rewards.collecting")} kept={t("rewards.stays")} />}
      {came && kind && collecting.state.at === "done" && (
        <div role="status">
          <Notice title={t(`rewards.came.${kind}.title`, came.kind === "paid" ? { data: units(came.data), gov: units(came.gov) } : {})} tone={came.kind === "paid" ? "good" : "note"}>
            <p>{t(`rewards.came.${kind}.text`)}</p>
          </Notice>
        </div>
      )}
    </>
  );
}

/** What lies where the member is paid, and what there is to have for it. */
function Spend({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-vote");
  const { units } = useFormat();
  const services = useRead(readServices());
  const rewards = useRead(readMemberRewards(id));
  return (
    <Await of={[services, rewards]}>
      {(all, own) => {
        const open = all.filter((service) => service.open);
        const [isHere, first] = [isSame(own.payout, own.account), open[0]];
        return (
          <>
            <p>{t(isHere ? "rewards.have" : "rewards.haveElsewhere", { data: units(own.data) })}</p>
            {!isHere && <p>{t("rewards.order.has", { data: units(own.data_of_account) })}</p>}
            {first ? (
              <>
                <Table
                  caption={t("rewards.services")}
                  rows={open}
                  keyOf={({ service }) => service}
                  columns={[
                    { head: t("rewards.service"), cell: ({ service }) => t("rewards.number", { service }) },
                    { head: t("rewards.price"), isNumber: true, cell: ({ price }) => t("rewards.dataAmount", { data: units(price) }) },
                    { head: t("rewards.enough"), cell: (service) => t(missing(service, own) === 0n ? "rewards.yes" : "rewards.notYet") },
                  ]}
                />
                <Order opened={opened} id={id} open={open} first={first} own={own} />
              </>
            ) : (
              <p>{t("rewards.noService")}</p>
            )}
            <OwnOrders opened={opened} />
          </>
        );
      }}
    </Await>
  );
}

interface Ordering {
  opened: Opened;
  id: number;
  open: ServiceView[];
  first: ServiceView;
  own: MemberRewards;
}

/** Chosen, put in words, shown, agreed to. */
function Order({ opened, id, open, first, own }: Ordering) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const { units } = useFormat();
  const queries = useQueryClient();
  const [number, setNumber] = useState(first.service);
  const [request, setRequest] = useState("");
  const [isAsked, setAsked] = useState(false);
  const [done, setDone] = useState<Placed>();
  const chosen = open.find(({ service }) => service === number) ?? first;
  const lacks = missing(chosen, own);
  const asked = request.trim();
  const ordering = useAct(async () => {
    const placed = await order(opened, chosen, asked);
    setDone(placed);
    // What was asked for now is not what was ordered before.
    if (!placed.isEarlier) {
      setRequest("");
      setAsked(false);
    }
    await queries.invalidateQueries({ queryKey: [readMemberRewards(id).path] });
  });
  return (
    <>
      <Options
        legend={t("member-vote:rewards.order.choose")}
        name="service"
        value={chosen.service}
        options={open.map(({ service }) => service)}
        choose={(service) => {
          setNumber(service);
          setDone(undefined);
        }}
        text={(service) => [t("member-vote:rewards.order.option", { service, price: units(open.find((one) => one.service === service)?.price ?? "0") })]}
        isShort
      />
      {lacks > 0n ? (
        <Short lacks={lacks} own={own} />
      ) : (
        <>
          <LongField label={t("member-vote:rewards.order.ask")} hint={t("member-vote:rewards.order.askHint")} wrong={isAsked && !asked ? t("member-vote:rewards.order.askWrong") : undefined} value={request} change={setRequest} />
          {asked && (
            <div className="words">
              <ul>
                <li>{t("member-vote:rewards.order.wordsAllow", { price: units(chosen.price) })}</li>
                <li>{t("member-vote:rewards.order.wordsOrder", { service: chosen.service })}</li>
                <li>{t("member-vote:rewards.order.wordsSecret", { request: asked })}</li>
              </ul>
            </div>
          )}
          {asked ? (
            <ActButton act={ordering} given={[]} label={t("member-vote:rewards.order.go")} working={() => t("member-mine:working.passkey")} kept={(error) => t(isNothing(error) ? "member-vote:rewards.order.stays" : "member-vote:rewards.order.maybe")} />
          ) : (
            <p>
              <button type="button" className="button" onClick={() => setAsked(true)}>
                {t("member-vote:rewards.order.go")}
              </button>
            </p>
          )}
        </>
      )}
      {done && (
        <div role="status">
          <Notice title={t("member-vote:rewards.order.ordered", { service: done.ordered.service })} tone="good">
            {done.isEarlier && <p>{t("member-vote:rewards.order.earlier", { request: done.ordered.request })}</p>}
            <p>{t("member-vote:rewards.order.orderedText", { price: units(done.ordered.price) })}</p>
          </Notice>
        </div>
      )}
    </>
  );
}

/** Why there is not enough, and what can be done. */
function Short({ lacks, own }: { lacks: bigint; own: MemberRewards }) {
  const { t } = useTranslation("member-vote");
  const { units } = useFormat();
  return (
    <Notice title={t("rewards.order.short", { missing: units(lacks) })}>
      <p>{t("rewards.order.shortDue")}</p>
      <p>{t("rewards.order.shortWaits")}</p>
      {!isSame(own.payout, own.account) && <p>{t("rewards.order.shortElsewhere")}</p>}
    </Notice>
  );
}

/** With what it takes to have them delivered. */
function OwnOrders({ opened: { things } }: { opened: Opened }) {
  const { t } = useTranslation("member-vote");
  const { units, time } = useFormat();
  if (things.ordered.length === 0) return null;
  return (
    <Table
      caption={t("rewards.order.own")}
      rows={things.ordered.toReversed()}
      keyOf={({ blinder }) => blinder}
      columns={[
        { head: t("rewards.service"), cell: ({ service, done, lapsed }) => `${t("rewards.number", { service })}, ${t(done ? "rewards.order.done" : lapsed ? "rewards.order.lapsed" : "rewards.order.open")}` },
        { head: t("rewards.order.when"), cell: ({ at }) => time(at) },
        { head: t("rewards.price"), isNumber: true, cell: ({ price }) => t("rewards.dataAmount", { data: units(price) }) },
        {
          head: t("rewards.order.receipt"),
          cell: (one) => (
            <button type="button" className="button quiet" onClick={() => saveFile(`service-${one.service}.json`, new Blob([receiptOf(one, things.account)], { type: "application/json" }))}>
              {t("rewards.order.save", { service: one.service })}
            </button>
          ),
        },
      ]}
    />
  );
}

const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

function Gift({ id }: { id: number }) {
  const { t } = useTranslation("member-vote");
  const member = useMember(id);
  return (
    <Await of={[member]}>
      {({ payout, account }) => (
        <>
          <p>{t(isSame(payout, account) ? "rewards.own" : "rewards.elsewhere")}</p>
          <p>{t("rewards.giveText")}</p>
          <p>
            <Link to="/money">{t("rewards.toMoney")}</Link>
          </p>
        </>
      )}
    </Await>
  );
}
