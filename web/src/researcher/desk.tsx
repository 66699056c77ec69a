//! A researcher's licenses: until when, renewed, invoiced, asked under; what was sent and is not confirmed yet.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { purposeOf } from "../api/codes";
import { readLicenses } from "../api/generated";
import { useRead } from "../api/read";
import { ChainAway, ChainButton, useChain } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { OpenKey, useKeys } from "../chain/keys";
import type { Terms } from "../chain/market";
import { Room, Words, WithWallet } from "../chain/room";
import { bids, sent } from "../chain/store";
import { useBy } from "../chain/wallet";
import { Field } from "../ui/form";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, Facts, More, Notice, Section } from "../ui/page";
import { counted } from "./counted";
import { Settled, Unconfirmed } from "./unconfirmed";

export const needs = () => [readLicenses()];

export default function MyLicences() {
  const { t } = useTranslation("researcher-buy");
  return (
    <Room title={t("desk.title")} lead={t("desk.lead")}>
      <WithWallet>
        {(desk, contracts) => (
          <>
            <ToReveal desk={desk} contracts={contracts} />
            <Unconfirmed desk={desk} contracts={contracts} />
            <Licences desk={desk} contracts={contracts} />
          </>
        )}
      </WithWallet>
    </Room>
  );
}

/** The gateway names the licenses; whose they are and until when, the chain says. */
function Licences({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation("researcher-buy");
  const listed = useRead(readLicenses(), 10_000);
  const ids = (listed.data ?? []).filter(({ holder }) => holder.toLowerCase() === desk.account).map(({ license_id }) => license_id);
  const own = useChain(desk, ["licenses", ids.join()], async () => ({ now: await contracts.now(desk), terms: (await Promise.all(ids.map((id) => contracts.termsOf(desk, id)))).filter(({ holder }) => holder === desk.account) }));
  return (
    <Await of={[listed, own]} failed={ChainAway}>
      {(_, { now, terms }) =>
        terms.length === 0 ? (
          <Empty title={t("desk.empty")}>
            <p>{t("desk.emptyText")}</p>
            <p>
              <Link to="/datasets">{t("back")}</Link>
            </p>
          </Empty>
        ) : (
          [...terms].reverse().map((one) => <Licence key={one.license} desk={desk} contracts={contracts} terms={one} now={now} refresh={() => void own.refetch()} />)
        )
      }
    </Await>
  );
}

function Licence({ desk, contracts, terms, now, refresh }: { desk: Desk; contracts: Contracts; terms: Terms; now: number; refresh: () => void }) {
  const { t } = useTranslation(["researcher-buy", "common", "researcher-chain"]);
  const { number, time } = useFormat();
  const keys = useKeys(desk);
  const { license, dataset, purpose, records, expiry, right, category } = terms;
  const isLive = expiry > now;
  const hasKey = keys.data?.some(({ public: open }) => open === terms.key);
  return (
    <Section title={t("researcher-buy:desk.number", { license })}>
      <Facts
        of={[
          [
            t("researcher-buy:desk.until"),
            <>
              {time(expiry)}{" "}
              <span className="tag" data-tone={isLive ? "good" : undefined}>
                {t(isLive ? "researcher-buy:desk.live" : "researcher-buy:desk.over")}
              </span>
            </>,
          ],
          [t("researcher-buy:desk.data"), t("researcher-buy:desk.dataset", { dataset, records: number(records) })],
          [t("researcher-buy:request.purpose"), t(`common:purpose.${purposeOf(purpose)}.name`)],
          [t("researcher-buy:buy.category"), t(`researcher-buy:categories.${category as 5}`)],
          ...(right === 3 ? ([[t("researcher-buy:desk.right"), t("researcher-buy:desk.compute")]] as [string, string][]) : []),
          [t("researcher-buy:desk.key"), <Code key="key">{terms.key}</Code>],
        ]}
      />
      {keys.data && !hasKey && (
        <Notice title={t("researcher-chain:key.missing")}>
          <OpenKey desk={desk} label={t("researcher-chain:key.open")} wanted={terms.key} />
        </Notice>
      )}
      <p>
        {isLive && right !== 3 && (
          <>
            <Link to="/ask">{t("researcher-buy:desk.ask")}</Link> ·{" "}
          </>
        )}
        <Link to="/invoice/$license" params={{ license: String(license) }}>
          {t("researcher-buy:desk.invoice", { license })}
        </Link>
      </p>
      {isLive && right !== 3 && (
        <More title={t("researcher-buy:desk.renew", { license })}>
          <Settled desk={desk} contracts={contracts}>
            <Renew desk={desk} contracts={contracts} terms={terms} refresh={refresh} />
          </Settled>
        </More>
      )}
    </Section>
  );
}

function Renew({ desk, contracts, terms, refresh }: { desk: Desk; contracts: Contracts; terms: Terms; refresh: () => void }) {
  const { t } = useTranslation(["researcher-buy", "researcher-chain"]);
  const by = useBy();
  const { exactly: money, time } = useFormat();
  const [months, setMonths] = useState("1");
  const count = /^[0-9]{1,2}$/.test(months) ? Number(months) : 0;
  const quote = useChain(desk, ["renewal", terms.license, count], () => contracts.quoteRenewal(desk, terms, Math.max(1, count)));
  const { market } = desk.site.manifest.addresses;
  const price = quote.data?.price ?? 0n;
  const permitted = t("researcher-chain:sign.permit", { spender: market, amount: money(price), account: desk.account, ...by });
  const words = [t("researcher-buy:desk.renewWords", { license: terms.license, months: t("researcher-buy:buy.span", { count }), amount: money(price), market })];
  const renewing = useAct(async (tell: (step: Step) => void) => {
    const note = { account: desk.account, chain: desk.site.chain_id, kind: "renew" as const, at: Math.floor(Date.now() / 1000), amount: price.toString(), words: [permitted, ...words] };
    const made = await contracts.renew(desk, terms, count, price, tell, (hash) => sent.put({ ...note, hash })).catch((error: unknown) => {
      void quote.refetch();
      throw error;
    });
    await sent.put({ ...note, hash: made.hash, license: terms.license }).catch(() => undefined);
    tell("counting");
    await counted(terms.license, (expiry) => expiry >= made.expiry);
    refresh();
  });
  if (renewing.state.at === "done") {
    return (
      <div role="status">
        <Notice title={t("researcher-buy:desk.renewed")} tone="good" />
      </div>
    );
  }
  return (
    <div>
      <Field label={t("researcher-buy:desk.months")} hint={t("researcher-buy:buy.monthsHint")} wrong={count < 1 ? t("researcher-buy:buy.monthsWrong") : undefined} value={months} change={(value) => setMonths(value.trim())} width={5} />
      {count > 0 && (
        <Await of={[quote]} failed={ChainAway}>
          {({ balance, approvedUntil, now }) => (
            <>
              <Facts
                of={[
                  [t("researcher-buy:buy.price"), money(price)],
                  [t("researcher-buy:buy.balance"), money(balance)],
                  [t("researcher-buy:desk.then"), time(terms.expiry + count * 30 * 86_400)],
                ]}
              />
              {approvedUntil <= now && <p className="wrong">{t("researcher-chain:failed.notApproved.title")}</p>}
              {balance < price && <p className="wrong">{t("researcher-chain:failed.usdc.title")}</p>}
              <Words words={words} permitted={permitted} />
              <ChainButton act={renewing} given={[]} label={t("researcher-buy:desk.renewGo", by)} kept={t("researcher-chain:nothingPaid")} />
            </>
          )}
        </Await>
      )}
    </div>
  );
}

/** Bids that were sealed here and are still sealed on the chain. */
function ToReveal({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const { t } = useTranslation("researcher-sale");
  const { time } = useFormat();
  const sealed = useChain(desk, ["to-reveal"], async () => {
    const own = (await bids.of(desk.account)).filter(({ chain }) => chain === desk.site.chain_id);
    const seen = await Promise.all(own.map(async (bid) => ({ bid, sale: await contracts.saleOf(desk, bid.dataset, bid.auction) })));
    return seen.flatMap(({ bid, sale: { live } }) => (live?.own?.seal === bid.seal && live.id === bid.auction && (live.stage === "bidding" || live.stage === "revealing") ? [{ bid, live }] : []));
  });
  return sealed.data?.map(({ bid, live }) => (
    <Notice key={bid.seal} title={t("reveal.title", { id: live.id })}>
      <p>{t("reveal.text", { from: time(live.commitEnd), until: time(live.revealEnd) })}</p>
      <p>
        <Link to="/auction/$dataset" params={{ dataset: String(bid.dataset) }}>
          {t("reveal.link")}
        </Link>
      </p>
    </Notice>
  ));
}
